//! Answers as they go over the wire: one JSON object, of success or of refusal.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::gateway::Failure;
use super::read::View;
use crate::world::{Answer, State, Variant, Variants};

/// An answer, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// What it says.
    pub body: Value,
    /// How its body is written.
    pub form: Form,
    /// When to come again; goes into a header, in milliseconds.
    pub retry_after: Option<Duration>,
}

/// How the body of an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As JSON.
    Json,
    /// As XML, with a root of this name.
    Xml(&'static str),
    /// As the text that it is.
    Text,
}

impl Reply {
    /// A call was carried out; `fields` is what its action answers.
    #[must_use]
    pub fn success(request_id: &str, mut fields: Map<String, Value>) -> Self {
        fields.insert("RequestId".to_owned(), request_id.into());
        Self { form: Form::Json, status: 200, body: Value::Object(fields), retry_after: None }
    }

    /// A call was refused, in a world of these `variants`.
    #[must_use]
    pub fn refusal(request_id: &str, host: &str, failure: &Failure, variants: &Variants) -> Self {
        let mut body = json!({
            "RequestId": request_id,
            "HostId": host,
            "Code": failure.code,
            "Message": failure.message,
            "Recommend": format!("https://api.alibabacloud.com/troubleshoot?q={}&product=Privatelink", failure.code),
        });
        let shape = variants.value(Variant::ErrorShape);
        if let (Value::Object(fields), "lowerCase") = (&mut body, shape) {
            let lower = |name: String| name[..1].to_ascii_lowercase() + &name[1..];
            *fields = std::mem::take(fields).into_iter().map(|(name, value)| (lower(name), value)).collect();
        }
        let form = if shape == "xml" { Form::Xml("Error") } else { Form::Json };
        Self { form, status: failure.status, body, retry_after: failure.retry_after }
    }

    /// Its body and the type of that, as they are sent.
    #[must_use]
    pub fn written(&self) -> (String, &'static str) {
        let root = match self.form {
            Form::Json => return (self.body.to_string(), "application/json;charset=utf-8"),
            Form::Text => return (self.body.as_str().unwrap_or_default().to_owned(), "text/plain;charset=utf-8"),
            Form::Xml(root) => root,
        };
        let fields = self.body.as_object().into_iter().flatten();
        let elements = fields.map(|(name, value)| format!("<{name}>{}</{name}>", escaped(value)));
        let text = format!("<?xml version='1.0' encoding='UTF-8'?><{root}>{}</{root}>", elements.collect::<String>());
        (text, "text/xml;charset=utf-8")
    }
}

/// The text of a field, as XML takes it.
fn escaped(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")].iter().fold(text, |text, (from, to)| text.replace(from, to))
}

/// What an action that changed the world answers beside its request id: the create calls, what they made.
#[must_use]
pub fn of_change(view: &View<'_>, action: &str, answer: Answer) -> Map<String, Value> {
    let (made, shown) = match answer {
        Answer::Done if action == "OpenPrivateLinkService" => return order(view.state, view.actor.account.0),
        Answer::Done | Answer::Rehearsed => return Map::new(),
        Answer::Service(id) => {
            let named = json!({"ServiceId": super::name::of_service(id)});
            (named, view.state.services.get(&id).map(|service| view.service(service)))
        }
        Answer::Endpoint(id) => {
            let named = json!({"EndpointId": super::name::of_endpoint(id)});
            (named, view.state.endpoints.get(&id).map(|endpoint| view.endpoint(endpoint)))
        }
    };
    let described = super::description::PRIVATELINK.actions.get(action);
    let is_described =
        |name: &String| described.is_some_and(|one| one.response.iter().any(|field| field.name == *name));
    let mut fields = shown.unwrap_or_default();
    fields.retain(|name, _| is_described(name));
    fields.extend(made.as_object().cloned().unwrap_or_default());
    fields
}

fn order(state: &State, account: u64) -> Map<String, Value> {
    let order = json!({"OrderId": format!("{}{:04}", account, state.accounts.len())});
    order.as_object().cloned().unwrap_or_default()
}
