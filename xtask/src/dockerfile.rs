//! Reads a Dockerfile, as far as the project's own goes: stages with instructions, continued lines, comments.

/// A stage: `FROM from AS name`, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stage {
    /// Its name.
    pub(crate) name: String,
    /// What it begins with: an image, or another stage.
    pub(crate) from: String,
    /// What is done there, in order.
    pub(crate) instructions: Vec<Instruction>,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// `RUN`, `COPY`, …
    pub(crate) word: String,
    /// All that follows, on one line.
    pub(crate) rest: String,
}

impl Instruction {
    /// What follows, without options (`--chmod=0755`); and these.
    pub(crate) fn words_and_options(&self) -> (Vec<&str>, Vec<&str>) {
        self.rest
            .split_whitespace()
            .partition(|word| !word.starts_with("--"))
    }

    /// The value of an option.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        let (_, options) = self.words_and_options();
        options
            .into_iter()
            .find_map(|option| option.strip_prefix("--")?.strip_prefix(name)?.strip_prefix('='))
    }
}

/// The stages, in order.
pub(crate) fn parse(text: &str) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for line in whole_lines(text) {
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let rest = rest.trim();
        if word == "FROM" {
            let (from, name) = rest.split_once(" AS ").unwrap_or((rest, rest));
            stages.push(Stage {
                name: name.trim().to_owned(),
                from: from.trim().to_owned(),
                instructions: Vec::new(),
            });
        } else if let Some(stage) = stages.last_mut() {
            stage.instructions.push(Instruction {
                word: word.to_owned(),
                rest: rest.to_owned(),
            });
        }
    }
    stages
}

/// Lines without comments, those that end with a backslash joined with the next.
fn whole_lines(text: &str) -> Vec<String> {
    let mut whole = Vec::new();
    let mut line = String::new();
    for part in text.lines().map(str::trim).filter(|part| !part.starts_with('#')) {
        match part.strip_suffix('\\') {
            Some(begun) => {
                line.push_str(begun.trim_end());
                line.push(' ');
            }
            None if part.is_empty() && line.is_empty() => {}
            None => whole.push(std::mem::take(&mut line) + part),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_have_their_instructions_in_order_on_one_line_each() {
        let text = "# syntax\nFROM debian AS base\nRUN a \\\n    # why\n    && b\n\nFROM base AS worker\n\
                    COPY --chmod=0755 --from=base x y /z/\nUSER 1:1\n";
        let stages = parse(text);
        let names: Vec<_> = stages.iter().map(|stage| (&*stage.from, &*stage.name)).collect();
        assert_eq!(names, [("debian", "base"), ("base", "worker")]);
        assert_eq!(stages[0].instructions[0].rest, "a && b");
        let copy = &stages[1].instructions[0];
        assert_eq!(copy.word, "COPY");
        assert_eq!(copy.words_and_options().0, ["x", "y", "/z/"]);
        assert_eq!(
            (copy.option("chmod"), copy.option("from")),
            (Some("0755"), Some("base"))
        );
        assert_eq!(copy.option("chown"), None);
    }
}
