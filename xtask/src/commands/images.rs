//! `cargo xtask images`: the stages of `deploy/docker/Dockerfile` as plain commands, where there is no container engine.
//!
//! Each stage gets a root folder: a fresh Debian, or a copy of the stage that it begins with. Its commands run there as root,
//! with the network; then the program of the image runs as the image's user on a root that nobody can write to. The stage
//! that compiles is replaced by the same builds with the toolchain that is here.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use launcher::{Place, install, missing_packages, run_in_foreground, workspace};

use super::Outcome;
use crate::dockerfile::{Instruction, Stage, parse};
use crate::{cargo, interrupt, say};

/// What makes a Debian in a folder, and what links a program statically.
const PACKAGES: [&str; 2] = ["mmdebstrap", "musl-tools"];
/// The stage that compiles.
const BUILD: &str = "build";
/// What the slim image leaves out of Debian.
const LEFT_OUT: [&str; 3] = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"];
/// What the slim image tells apt not to keep.
const NO_CACHE: [&str; 2] = [r#"Dir::Cache::pkgcache """#, r#"Dir::Cache::srcpkgcache """#];
/// A helper whose work is done by then brings all of Perl, which the slim image does not have.
const WITHOUT_PERL: &str = r#"--customize-hook=chroot "$1" apt-get -qq --yes purge '^libperl5' '^perl-modules' usr-is-merged+ >/dev/null"#;
/// Where programs are looked for in images.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// A command on a root folder that can't be written to.
const READ_ONLY: &str =
    r#"mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec chroot --userspec="$1" "$0" "${@:2}""#;

/// Images, what else has to run in them, and how large they may be, MB.
const IMAGES: [(&str, &[&str], u64); 5] = [
    ("coordinator", &["taskmanager", "--version"], 150),
    ("worker", &["cp", "--version"], 150),
    ("worker-ocr", &["tesseract", "--list-langs"], 400),
    ("worker-tools", &["mogrify", "-version"], 400),
    ("taskmanager", &["/taskmanager", "help"], 30),
];

/// Instructions that change no folder.
const IGNORED: [&str; 4] = ["LABEL", "EXPOSE", "VOLUME", "HEALTHCHECK"];

/// Runs all stages.
pub(crate) fn run() -> Result<Outcome> {
    ensure!(
        fs::metadata("/proc/self")?.uid() == 0,
        "only root can make the roots of images, and run programs in them"
    );
    let place = Place::temporary("images")?;
    interrupt::watch(&place)?;
    install(&place, &missing_packages(&PACKAGES)?)?;
    let built = build(&place)?;
    let text = fs::read_to_string(workspace().join("deploy/docker/Dockerfile"))?;
    let mut rehearsal = Rehearsal {
        place,
        built,
        roots: BTreeMap::new(),
        programs: BTreeMap::new(),
    };
    for stage in parse(&text).iter().filter(|stage| stage.name != BUILD) {
        let since = Instant::now();
        let size = rehearsal
            .run(stage)
            .with_context(|| format!("the stage {}", stage.name))?;
        say::verdict(&format!("{} ({size} MB)", stage.name), "ok", since);
    }
    Ok(Outcome::Done)
}

/// Compiles as the first stage does; gives each program's file.
fn build(place: &Place) -> Result<BTreeMap<String, PathBuf>> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let release = ["build", "--release", "--locked", "--package"];
    cargo::build(
        place,
        &[&release[..], &["coordinator", "--package", "worker"]].concat(),
    )?;
    let mut add = Command::new("rustup");
    add.args(["target", "add", &target]);
    ensure!(
        run_in_foreground(place, &add)?.success(),
        "rustup has no {target}"
    );
    let mut cli = cargo::cargo(&[&release[..], &["cli", "--target", &target]].concat());
    let compiler = format!("CC_{}", target.replace('-', "_"));
    let built = run_in_foreground(place, cli.env(compiler, "musl-gcc"))?;
    ensure!(
        built.success(),
        "the static command line can't be built, see above"
    );
    let own = |name: &str| (name.to_owned(), cargo::programs("release").join(name));
    let statically = cargo::target().join(target).join("release/taskmanager");
    Ok(BTreeMap::from([
        own("coordinator"),
        own("worker"),
        ("taskmanager".to_owned(), statically),
    ]))
}

/// What the stages so far have left.
struct Rehearsal {
    place: Place,
    built: BTreeMap<String, PathBuf>,
    /// Their roots.
    roots: BTreeMap<String, PathBuf>,
    /// Whom their programs run as, and which is the main one.
    programs: BTreeMap<String, (String, String)>,
}

impl Rehearsal {
    /// Runs a stage and tries its image; gives its size, MB.
    fn run(&mut self, stage: &Stage) -> Result<u64> {
        let root = self.place.path().join(&stage.name);
        self.begin(&stage.from, &root)?;
        let mut variables = vec![PATH.to_owned()];
        let (mut user, mut main) = self.programs.get(&stage.from).cloned().unwrap_or_default();
        for instruction in &stage.instructions {
            match instruction.word.as_str() {
                "RUN" => self.command(&root, &variables, &instruction.rest)?,
                "COPY" => self.copy(&root, instruction)?,
                "ENV" | "ARG" => {
                    variables.extend(instruction.words_and_options().0.iter().map(ToString::to_string));
                }
                "USER" => instruction.rest.clone_into(&mut user),
                "ENTRYPOINT" => main = first(&instruction.rest),
                word if IGNORED.contains(&word) => {}
                other => bail!("nobody knows how to do {other}"),
            }
        }
        let size = size_mb(&root)?;
        self.programs
            .insert(stage.name.clone(), (user.clone(), main.clone()));
        self.roots.insert(stage.name.clone(), root.clone());
        let Some((_, program, size_max)) = IMAGES.iter().find(|(name, ..)| *name == stage.name) else {
            return Ok(size);
        };
        ensure!(size <= *size_max, "it has {size} MB, and may have {size_max}");
        self.as_its_user(&root, &user, &[&main, "--version"])?;
        self.as_its_user(&root, &user, program)?;
        Ok(size)
    }

    /// Makes the root that a stage begins with.
    fn begin(&self, from: &str, root: &Path) -> Result<()> {
        fs::create_dir_all(root)?;
        if let Some(other) = self.roots.get(from) {
            let mut copy = Command::new("cp");
            copy.args(["--archive", "--reflink=auto"])
                .arg(other.join("."))
                .arg(root);
            return self.succeed(&copy);
        }
        if from == "scratch" {
            return Ok(());
        }
        let suite = from
            .strip_prefix("debian:")
            .and_then(|tag| tag.strip_suffix("-slim"))
            .with_context(|| format!("{from} can't be made here"))?;
        let mut debian = Command::new("mmdebstrap");
        debian.args(["--quiet", "--mode=root", "--variant=minbase", WITHOUT_PERL]);
        debian.args(NO_CACHE.map(|cache| format!("--aptopt={cache}")));
        debian.args(LEFT_OUT.map(|left_out| format!("--dpkgopt=path-exclude={left_out}")));
        debian.arg(suite).arg(root);
        debian.arg(format!("deb http://deb.debian.org/debian {suite} main"));
        debian.arg(format!("deb http://deb.debian.org/debian {suite}-updates main"));
        debian.arg(format!(
            "deb http://deb.debian.org/debian-security {suite}-security main"
        ));
        self.succeed(&debian)?;
        fs::copy("/etc/resolv.conf", root.join("etc/resolv.conf"))?;
        Ok(())
    }

    /// `RUN`: as root, with no variables but the image's.
    fn command(&self, root: &Path, variables: &[String], line: &str) -> Result<()> {
        let mut command = Command::new("chroot");
        command.arg(root).args(["env", "--ignore-environment"]);
        command.args(variables).args(["sh", "-c", line]);
        self.succeed(&command)
    }

    /// `COPY`: from the project, from what was compiled, or from another stage.
    fn copy(&self, root: &Path, copy: &Instruction) -> Result<()> {
        let (words, _) = copy.words_and_options();
        let Some((to, from)) = words.split_last() else {
            bail!("COPY without a place")
        };
        for from in from {
            let name = Path::new(from).file_name().context("a file's name")?;
            let source = match copy.option("from") {
                None => workspace().join(from),
                Some(BUILD) => {
                    let program = self.built.get(&*name.to_string_lossy());
                    program.with_context(|| format!("{from} is not built"))?.clone()
                }
                Some(stage) => {
                    let other = self
                        .roots
                        .get(stage)
                        .with_context(|| format!("no stage {stage}"))?;
                    other.join(from.trim_start_matches('/'))
                }
            };
            let mut target = root.join(to.trim_start_matches('/'));
            if to.ends_with('/') {
                target.push(name);
            }
            fs::create_dir_all(target.parent().context("a folder")?)?;
            fs::copy(&source, &target).with_context(|| format!("{} to {to}", source.display()))?;
            if let Some(mode) = copy.option("chmod") {
                fs::set_permissions(&target, Permissions::from_mode(u32::from_str_radix(mode, 8)?))?;
            }
        }
        Ok(())
    }

    /// As the image's user, where nothing can be written.
    fn as_its_user(&self, root: &Path, user: &str, program: &[&str]) -> Result<()> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "bash", "-c", READ_ONLY]);
        command.arg(root).arg(user).args(program);
        self.succeed(&command)
            .with_context(|| format!("{} as {user}", program.join(" ")))
    }

    fn succeed(&self, command: &Command) -> Result<()> {
        let status = run_in_foreground(&self.place, command)?;
        ensure!(status.success(), "it failed, see above ({status})");
        Ok(())
    }
}

/// The program in a list such as `["worker", "--help"]`.
fn first(list: &str) -> String {
    list.split('"').nth(1).unwrap_or_default().to_owned()
}

/// What a root holds, MB as registries count them.
fn size_mb(root: &Path) -> Result<u64> {
    let output = Command::new("du")
        .args(["--summarize", "--one-file-system", "--block-size=1MB"])
        .arg(root)
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    let size = said.split_whitespace().next().and_then(|size| size.parse().ok());
    size.with_context(|| format!("du says \"{}\"", said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Instructions that [`Rehearsal::run`] does.
    const DONE: [&str; 6] = ["RUN", "COPY", "ENV", "ARG", "USER", "ENTRYPOINT"];

    #[test]
    fn every_stage_of_the_dockerfile_can_be_done_as_plain_commands() {
        let text = fs::read_to_string(workspace().join("deploy/docker/Dockerfile")).unwrap();
        let stages = parse(&text);
        let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
        for (image, ..) in IMAGES {
            assert!(names.contains(&image), "{image}");
        }
        assert_eq!(
            names.len(),
            IMAGES.len() + 2,
            "an image that nobody tries: {names:?}"
        );
        assert_eq!(first(r#"["worker", "--help"]"#), "worker");
        let images = stages.iter().filter(|stage| stage.name != BUILD);
        for instruction in images.flat_map(|stage| &stage.instructions) {
            assert!(
                DONE.contains(&&*instruction.word) || IGNORED.contains(&&*instruction.word),
                "{instruction:?}"
            );
        }
    }
}
