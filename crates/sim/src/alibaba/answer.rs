//! Answers as they go over the wire: one JSON object, of success or of refusal.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::gateway::Failure;
use super::read::View;
use crate::world::{Answer, State};

/// An answer, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Value,
    /// When to come again; goes into a header, in milliseconds.
    pub retry_after: Option<Duration>,
}

impl Reply {
    /// A call was carried out; `fields` is what its action answers.
    #[must_use]
    pub fn success(request_id: &str, mut fields: Map<String, Value>) -> Self {
        fields.insert("RequestId".to_owned(), request_id.into());
        Self { status: 200, body: Value::Object(fields), retry_after: None }
    }

    /// A call was refused.
    #[must_use]
    pub fn refusal(request_id: &str, host: &str, failure: &Failure) -> Self {
        let body = json!({
            "RequestId": request_id,
            "HostId": host,
            "Code": failure.code,
            "Message": failure.message,
            "Recommend": format!("https://api.alibabacloud.com/troubleshoot?q={}&product=Privatelink", failure.code),
        });
        Self { status: failure.status, body, retry_after: failure.retry_after }
    }
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
