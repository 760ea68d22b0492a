//! What the API's document says of one route beyond what the route itself says: what it takes, and what it answers.

use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::http::problem::Kind;

/// Makes the schema of one type; the generator keeps those of the types in it.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// What one route takes and answers.
#[derive(Debug)]
pub struct Operation {
    /// A name for programs that are made from the document.
    pub(super) id: &'static str,
    /// What a caller has to know beyond the summary, if anything.
    pub(super) note: &'static str,
    /// Structures whose fields are parameters of the query.
    pub(super) queries: Vec<Shape>,
    /// The body.
    pub(super) body: Option<Shape>,
    /// Takes the header `Idempotency-Key`.
    pub(super) takes_key: bool,
    /// The answers when all is well.
    pub(super) answers: Vec<Answer>,
    /// Failures that not every route has.
    pub(super) failures: &'static [Kind],
}

/// One answer when all is well.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) what: &'static str,
    pub(super) shape: Shape,
    /// It says in the header `Location` where the job is.
    pub(super) has_location: bool,
}

impl Operation {
    /// One that answers 200 with a `T`.
    pub(in crate::http) fn answering<T: JsonSchema>(id: &'static str) -> Self {
        Self::new(id).with_answer::<T>(StatusCode::OK, "That is it.")
    }

    /// One without any answer yet.
    pub(in crate::http) fn new(id: &'static str) -> Self {
        Self {
            id,
            note: "",
            queries: Vec::new(),
            body: None,
            takes_key: false,
            answers: Vec::new(),
            failures: &[],
        }
    }

    /// Answers that, too.
    pub(in crate::http) fn with_answer<T: JsonSchema>(
        mut self,
        status: StatusCode,
        what: &'static str,
    ) -> Self {
        self.answers.push(Answer {
            status,
            what,
            shape: SchemaGenerator::subschema_for::<T>,
            has_location: false,
        });
        self
    }

    /// The answers so far say where the job is.
    pub(in crate::http) fn with_location(mut self) -> Self {
        for answer in &mut self.answers {
            answer.has_location = true;
        }
        self
    }

    /// Takes the fields of a `T` as parameters.
    pub(in crate::http) fn with_query<T: JsonSchema>(mut self) -> Self {
        self.queries.push(T::json_schema);
        self
    }

    /// Takes a `T` as its body.
    pub(in crate::http) fn with_body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// Takes the header `Idempotency-Key`.
    pub(in crate::http) fn with_key(mut self) -> Self {
        self.takes_key = true;
        self
    }

    /// Fails in these ways, too.
    pub(in crate::http) fn failing(mut self, failures: &'static [Kind]) -> Self {
        self.failures = failures;
        self
    }

    /// What a caller has to know beyond the summary.
    pub(in crate::http) fn noting(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }
}
