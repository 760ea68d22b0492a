//! The tools of others that know OpenAPI, and what they say of the coordinator's API.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Cluster;
use crate::environment::python_tool;

impl Cluster {
    /// What a validator of OpenAPI says of this document.
    ///
    /// # Errors
    /// The faults.
    pub fn validate_openapi(&self, document: &str) -> Result<(), String> {
        let mut validator = Command::new(python_tool("openapi-spec-validator"));
        validator.args(["--schema", "3.1", "--validation-errors", "all"]);
        said(validator.arg(self.file_of(document)))
    }

    /// Sends the running coordinator whatever its document allows, and what it does not, up to `examples` requests
    /// made up for each operation beside those that its parts suggest; the same ones each time. A fault is a failure
    /// of the server, and an answer that the document does not know.
    ///
    /// # Errors
    /// The faults, each with the request that shows it.
    pub fn try_api_out(&self, document: &str, examples: u16) -> Result<(), String> {
        let mut schemathesis = Command::new(python_tool("schemathesis"));
        schemathesis.current_dir(self.folder()).args([
            "--no-color",
            "run",
            "--phases=coverage,fuzzing",
            "--mode=all",
            "--checks=not_a_server_error,status_code_conformance,content_type_conformance,\
             response_headers_conformance,response_schema_conformance",
            "--continue-on-failure",
            "--generation-deterministic",
            "--suppress-health-check=all",
            "--no-shrink",
            "--warnings=off",
        ]);
        schemathesis.arg(format!("--max-examples={examples}"));
        // From the address of the document itself, that one operation would be left out.
        schemathesis.args(["--url", self.api().base()]);
        said(schemathesis.arg(self.file_of(document)))
    }

    fn file_of(&self, document: &str) -> PathBuf {
        let file = self.folder().join("openapi.json");
        fs::write(&file, document).expect("the test's folder can be written to");
        file
    }
}

fn said(tool: &mut Command) -> Result<(), String> {
    let output = tool.output().expect("the tool starts");
    if output.status.success() {
        return Ok(());
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Err(format!("{}{}", text(output.stdout), text(output.stderr)))
}
