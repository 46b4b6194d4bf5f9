//! What the vendor's gateway refuses before an action sees the call, and the one shape of every refusal.
//!
//! The codes of missing and illegal parameters are chosen here and nowhere else: an action's own
//! documented code or template comes first; where it documents none, the codes of the RPC gateway serve,
//! `Missing<Name>` and `InvalidParameter.<Name>`. The description has no code for a parameter that the
//! action does not know; the gateway's `InvalidParameter.<Name>` serves for it too.

use std::time::Duration;

use super::description::Action;

/// A refused call, as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// HTTP status.
    pub status: u16,
    /// Code.
    pub code: String,
    /// The code, as calls are counted by it: without what the caller made up.
    pub counted_as: Option<&'static str>,
    /// What is wrong, for a person.
    pub message: String,
    /// When to come again, where the cloud says so.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A refusal without a hint when to come again.
    #[must_use]
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), counted_as: None, message: message.into(), retry_after: None }
    }

    /// A required parameter is not there.
    #[must_use]
    pub fn missing(action: &Action, name: &str) -> Self {
        let leaf = leaf(name);
        let own = match leaf {
            "Key" => "MissingTagKeyParam".to_owned(),
            "Value" => "MissingTagValueParam".to_owned(),
            "UserARN" => "MissingParam.UserArn".to_owned(),
            _ => format!("MissingParam.{leaf}"),
        };
        let code =
            documented(action, &[own, format!("MissingParameter.{leaf}")]).unwrap_or_else(|| format!("Missing{leaf}"));
        Self::new(400, code, format!("{name} is mandatory for this action."))
    }

    /// A parameter has a value that it cannot have; `must` says what it must be.
    #[must_use]
    pub fn illegal(action: &Action, name: &str, must: &str) -> Self {
        let leaf = leaf(name);
        let own = match leaf {
            "Key" | "TagKey" => "IllegalTagKeyParam".to_owned(),
            "Value" => "IllegalTagValueParam".to_owned(),
            "ResourceType" => "EndpointServiceResourceTypeNotSupport".to_owned(),
            _ => format!("IllegalParam.{leaf}"),
        };
        let code = documented(action, &[own, format!("IllegalParamFormat.{leaf}")])
            .unwrap_or_else(|| format!("InvalidParameter.{leaf}"));
        Self::new(400, code, format!("The specified value of parameter {name} is not valid: {must}."))
    }

    /// The action knows no such parameter.
    #[must_use]
    pub fn unknown_parameter(name: &str) -> Self {
        let message = format!("Parameter {name} is not known to this action; leave it out or correct its name.");
        let failure = Self::new(400, format!("InvalidParameter.{}", leaf(name)), message);
        Self { counted_as: Some("InvalidParameter.<unknown>"), ..failure }
    }

    /// The parameter `name` says something else than the signed header of its meaning.
    #[must_use]
    pub fn contradiction(name: &str) -> Self {
        let header = format!("x-acs-{}", name.to_ascii_lowercase());
        let message = format!("Parameter {name} contradicts the header {header}; leave the parameter out.");
        Self::new(400, format!("InvalidParameter.{name}"), message)
    }

    /// No such action in this version.
    #[must_use]
    pub fn unknown_action(action: &str, version: &str) -> Self {
        Self::new(
            404,
            "InvalidAction.NotFound",
            format!("Specified api is not found: action {action:?} of version {version}."),
        )
    }

    /// No product has this version.
    #[must_use]
    pub fn unknown_version(version: &str) -> Self {
        Self::new(400, "InvalidVersion", format!("Specified parameter Version is not valid: {version:?}."))
    }

    /// The method is not one that RPC calls use.
    #[must_use]
    pub fn unsupported_method(method: &str) -> Self {
        Self::new(405, "UnsupportedHTTPMethod", format!("This http method is not supported: {method}; use POST."))
    }

    /// The call's region is none of this cloud's.
    #[must_use]
    pub fn no_region(name: &str) -> Self {
        Self::new(400, "RegionNotFound", format!("The specified region {name:?} does not exist."))
    }

    /// The key lacks the right to the action of this `name`; `code` is the world's choice, where the action
    /// documents none of its own.
    #[must_use]
    pub fn forbidden(action: &Action, code: &str, name: &str) -> Self {
        let usual = if code.starts_with("Forbidden") { 403 } else { 400 };
        let own = action.documented("NoPermission").map(|status| (status, "NoPermission"));
        let (status, code) = own.unwrap_or((usual, code));
        Self::new(status, code, format!("You are not authorized to perform {name}."))
    }

    /// Too many calls; `code` is the world's choice.
    #[must_use]
    pub fn throttled(status: &str, code: &str, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(status.parse().unwrap_or(400), code, "Request was denied due to user flow control.")
        }
    }
}

/// `ResourceId` of `Resource.1.ResourceId`, `SecurityGroupId` of `SecurityGroupId.2`: what codes speak of.
fn leaf(name: &str) -> &str {
    name.rsplit('.').find(|part| !part.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or(name)
}

fn documented(action: &Action, candidates: &[String]) -> Option<String> {
    candidates.iter().find(|code| action.documented(code).is_some()).cloned()
}

#[cfg(test)]
mod tests {
    use super::Failure;
    use crate::alibaba::description::PRIVATELINK;

    #[test]
    fn an_actions_own_codes_come_before_the_gateways() {
        let code_of = |action: &str, name: &str| {
            let action = &PRIVATELINK.actions[action];
            (Failure::missing(action, name).code, Failure::illegal(action, name, "no").code)
        };
        let pair = |missing: &str, illegal: &str| (missing.to_owned(), illegal.to_owned());
        assert_eq!(
            code_of("CreateVpcEndpointService", "Resource.1.ResourceId"),
            pair("MissingParam.ResourceId", "IllegalParamFormat.ResourceId")
        );
        assert_eq!(
            code_of("UpdateVpcEndpointZoneConnectionResourceAttribute", "ResourceReplaceMode"),
            pair("MissingResourceReplaceMode", "IllegalParam.ResourceReplaceMode")
        );
        assert_eq!(code_of("TagResources", "Tag.1.Key"), pair("MissingTagKeyParam", "IllegalTagKeyParam"));
        assert_eq!(
            code_of("AttachResourceToVpcEndpointService", "ResourceType"),
            pair("MissingResourceType", "EndpointServiceResourceTypeNotSupport")
        );
        assert_eq!(code_of("ChangeResourceGroup", "ResourceId").0, "MissingParameter.ResourceId");
        assert_eq!(code_of("ListVpcEndpoints", "MaxResults"), pair("MissingMaxResults", "InvalidParameter.MaxResults"));
    }
}
