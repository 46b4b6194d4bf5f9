//! Why something is not done: a refusal as the real API server gives it, or that nothing is known of what was asked.

use serde_json::{Value, json};

use super::request::Target;

/// No answer to what was asked.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The API server refuses it.
    Refused(Refusal),
    /// It is not known here.
    Unknown(Unknown),
}

/// What is not known here.
#[derive(Clone, Debug)]
pub struct Unknown(pub String);

/// A refusal.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// HTTP status.
    pub code: u16,
    reason: &'static str,
    message: String,
}

impl Unknown {
    /// With what is not known.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl From<Unknown> for Failure {
    fn from(unknown: Unknown) -> Self {
        Self::Unknown(unknown)
    }
}

impl Refusal {
    /// There is no such object.
    pub fn not_found(target: &Target) -> Self {
        Self::of(404, "NotFound", target, "not found")
    }

    /// There is one already.
    pub fn already_exists(target: &Target) -> Self {
        Self::of(409, "AlreadyExists", target, "already exists")
    }

    /// It is not what the caller takes it for.
    pub fn conflict(target: &Target, why: &str) -> Self {
        Self::of(409, "Conflict", target, why)
    }

    /// What is asked for cannot be.
    pub fn invalid(target: &Target, why: &str) -> Self {
        Self::of(422, "Invalid", target, why)
    }

    /// It is too long ago.
    pub fn expired() -> Self {
        Self { code: 410, reason: "Expired", message: "too old resource version".to_owned() }
    }

    fn of(code: u16, reason: &'static str, target: &Target, what: &str) -> Self {
        Self { code, reason, message: format!("{} {:?} {what}", target.kind.resource(), target.name) }
    }

    /// As the API server writes it.
    pub fn status(&self) -> Value {
        let Self { code, reason, message } = self;
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code,
        })
    }
}
