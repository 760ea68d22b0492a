//! The Dockerfile: linted, and what every image of it keeps.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use launcher::workspace;
use tests::python_tool;

use crate::compose::configured;
use crate::succeed;

/// A `docker` that only says a digest, as the registry would.
const REGISTRY: &str = "#!/bin/sh\n[ \"$1 $2 $3\" = 'buildx imagetools inspect' ] || exit 1\n\
    printf 'sha256:%064d\\n' \"${#4}\"\n";

fn dockerfile() -> String {
    fs::read_to_string(workspace().join("deploy/docker/Dockerfile")).unwrap()
}

/// The stages: name, and lines.
fn stages() -> Vec<(String, Vec<String>)> {
    let mut stages: Vec<(String, Vec<String>)> = Vec::new();
    for line in dockerfile().lines() {
        if line.starts_with("FROM ") {
            let (_, name) = line.split_once(" AS ").unwrap();
            stages.push((name.to_owned(), vec![line.to_owned()]));
        } else if let Some((_, lines)) = stages.last_mut() {
            lines.push(line.to_owned());
        }
    }
    stages
}

fn is_image(stage: &str) -> bool {
    !["build", "base"].contains(&stage)
}

#[test]
fn the_linter_of_dockerfiles_finds_nothing() {
    let output = Command::new(python_tool("hadolint"))
        .arg("--no-color")
        .arg(workspace().join("deploy/docker/Dockerfile"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert!(output.status.success());
}

#[test]
fn no_image_runs_as_root_and_each_says_what_it_is() {
    let images = stages().into_iter().filter(|(name, _)| is_image(name));
    for (name, lines) in images {
        let user = lines.iter().rev().find_map(|line| line.strip_prefix("USER "));
        assert_eq!(user, Some("10001:10001"), "{name}");
        for label in ["title", "description"] {
            let label = format!("org.opencontainers.image.{label}=\"");
            assert!(lines.iter().any(|line| line.contains(&label)), "{name}: {label}");
        }
    }
}

#[test]
fn each_service_tells_its_health() {
    for (name, lines) in stages() {
        if ["coordinator", "worker"].contains(&name.as_str()) {
            assert!(
                lines
                    .iter()
                    .any(|line| line.starts_with("HEALTHCHECK ") && line.contains("/readyz")),
                "{name}"
            );
        }
    }
}

#[test]
fn images_are_built_with_the_projects_own_toolchain() {
    let settings = fs::read_to_string(workspace().join("rust-toolchain.toml")).unwrap();
    let channel = settings
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .unwrap()
        .trim_matches('"');
    let text = dockerfile();
    assert!(text.contains(&format!("FROM rust:{channel}-bookworm AS build\n")));
    assert!(text.contains(&format!("ENV RUSTUP_TOOLCHAIN={channel}\n")));
}

#[test]
fn compose_builds_stages_that_there_are() {
    let stages: Vec<String> = stages().into_iter().map(|(name, _)| name).collect();
    for (name, service) in configured()["services"].as_object().unwrap() {
        if let Some(target) = service["build"]["target"].as_str() {
            assert!(stages.iter().any(|stage| stage == target), "{name}: {target}");
            assert!(
                service["image"]
                    .as_str()
                    .unwrap()
                    .starts_with(&format!("taskmanager/{target}:")),
                "{name}"
            );
        }
    }
}

/// The packages with the programs that the project's templates call; the empty one is Debian's base.
const PROGRAMS: [(&str, &str); 3] = [("cp", ""), ("find", ""), ("mogrify", "imagemagick")];

#[test]
fn the_image_that_runs_commands_has_the_programs_of_the_projects_templates() {
    let target = configured()["services"]["tools"]["build"]["target"]
        .as_str()
        .unwrap();
    let (_, lines) = stages().into_iter().find(|(name, _)| name == target).unwrap();
    let installs = |package: &str| {
        lines
            .iter()
            .any(|line| line.contains(" install ") && line.contains(package))
    };
    let templates = fs::read_to_string(workspace().join("deploy/templates.toml")).unwrap();
    let programs: Vec<&str> = templates
        .lines()
        .filter_map(|line| line.strip_prefix("command = [\"")?.split('"').next())
        .collect();
    assert!(!programs.is_empty());
    for program in programs {
        let known = PROGRAMS.iter().find(|(name, _)| *name == program);
        let (_, package) = known.unwrap_or_else(|| panic!("which package has {program}?"));
        assert!(installs(package), "{target} has no {package} for {program}");
    }
}

#[test]
fn one_command_pins_every_image_of_others_by_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    fs::create_dir_all(at("deploy/docker")).unwrap();
    for file in ["deploy/docker/Dockerfile", "docker-compose.yml"] {
        fs::copy(workspace().join(file), at(file)).unwrap();
    }
    fs::write(at("docker"), REGISTRY).unwrap();
    fs::set_permissions(at("docker"), fs::Permissions::from_mode(0o755)).unwrap();
    let pin = || {
        succeed(
            Command::new(workspace().join("deploy/docker/pin"))
                .current_dir(folder.path())
                .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display())),
        );
        ["deploy/docker/Dockerfile", "docker-compose.yml"].map(|file| fs::read_to_string(at(file)).unwrap())
    };
    let pinned = pin();
    let own: Vec<String> = stages()
        .into_iter()
        .map(|(name, _)| name)
        .chain(["scratch".to_owned()])
        .collect();
    let mut seen = 0;
    for line in pinned.iter().flat_map(|text| text.lines()) {
        let image = line
            .strip_prefix("FROM ")
            .or_else(|| line.strip_prefix("    image: "));
        let Some(image) = image.and_then(|rest| rest.split(' ').next()) else {
            continue;
        };
        if own.iter().any(|stage| stage == image) || image.starts_with("taskmanager/") {
            continue;
        }
        let (tagged, digest) = image.split_once("@sha256:").unwrap_or_else(|| panic!("{line}"));
        assert!(tagged.contains(':') && digest.len() == 64, "{line}");
        assert_eq!(digest.trim_start_matches('0'), tagged.len().to_string(), "{line}");
        seen += 1;
    }
    assert_eq!(seen, 6, "images of others");
    assert_eq!(pin(), pinned, "repeated");
}
