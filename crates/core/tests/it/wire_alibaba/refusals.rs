//! Refusals in all the shapes they come in.

use std::time::Duration;

use privatelink_core::condition::Reason;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::wire::alibaba::decode;
use privatelink_core::wire::{Malformed, Response};
use proptest::prelude::*;

const UUID: &str = "0B0C5B7E-1111-4A2F-9D33-ABCDEF012345";

fn refused(status: u16, headers: &[(&str, &str)], body: &str) -> Failure {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    decode::failure("CreateVpcEndpointService", &Response { status, headers, body: body.into() })
}

#[test]
fn the_products_own_shape() {
    let body = format!(
        r#"{{"RequestId":"{UUID}","HostId":"privatelink.cn-hangzhou.aliyuncs.com","Code":"LoadBalancerNotFound",
            "Message":"The load balancer lb-1 does not exist. RequestId: {UUID}","Recommend":"https://x"}}"#
    );
    let failure = refused(400, &[], &body);
    assert_eq!(failure.meaning, Meaning::UserMustAct(Reason::ReferenceNotFound));
    assert_eq!(failure.code, "LoadBalancerNotFound");
    assert_eq!(failure.request_id.as_deref(), Some(UUID));
    assert_eq!((failure.retry_after, failure.maybe_done), (None, false));
    assert!(
        failure.message.ends_with("The cloud says: The load balancer lb-1 does not exist. RequestId: …"),
        "{failure}"
    );
}

#[test]
fn two_refusals_that_say_the_same_are_equal_but_for_the_request_id() {
    let body = |id: &str, time: &str| {
        format!(r#"{{"RequestId":"{id}","Code":"SystemBusy","Message":"Busy at {time}, request id {id}."}}"#)
    };
    let one = refused(400, &[], &body(UUID, "2026-01-02T03:04:05Z"));
    let other = refused(400, &[], &body("99999999-1111-4A2F-9D33-ABCDEF012345", "2026-05-06T07:08:09Z"));
    assert_eq!(Failure { request_id: None, ..one }, Failure { request_id: None, ..other });
}

#[test]
fn keys_in_lower_case_and_xml_are_read_too() {
    let lower = r#"{"code":"Forbidden.RAM","message":"No.","requestId":"r-1"}"#;
    let xml = "<?xml version='1.0' encoding='UTF-8'?>\n<Error>\n<RequestId>r-1</RequestId><HostId>h</HostId>\
               <Code> Forbidden.RAM </Code><Message>No.</Message></Error>";
    for body in [lower, xml] {
        let failure = refused(403, &[], body);
        assert_eq!(failure.code, "Forbidden.RAM", "{body}");
        assert_eq!(failure.meaning, Meaning::UserMustAct(Reason::PermissionDenied));
        assert_eq!(failure.request_id.as_deref(), Some("r-1"));
        assert!(failure.message.ends_with("The cloud says: No."), "{failure}");
    }
    let escaped = refused(400, &[], "<Error><Code>SystemBusy</Code><Message>a &lt; b &amp;lt; c</Message></Error>");
    assert!(escaped.message.ends_with("a < b &lt; c"), "{escaped}");
}

#[test]
fn the_missing_permission_is_named() {
    let body = r#"{"Code":"NoPermission","Message":"You are not authorized.",
        "AccessDeniedDetail":{"AuthAction":"privatelink:CreateVpcEndpointService","PolicyType":"AccountLevelIdentityBasedPolicy"}}"#;
    let failure = refused(400, &[], body);
    assert!(failure.message.ends_with("Missing permission: privatelink:CreateVpcEndpointService"), "{failure}");
}

#[test]
fn without_a_code_the_status_decides() {
    for (status, body, meaning, maybe_done) in [
        (502, "<html><body>Bad Gateway<Code>x</Code></body></html>", Meaning::Unavailable, true),
        (503, "", Meaning::Unavailable, true),
        (408, "", Meaning::Unavailable, true),
        (429, "slow down", Meaning::Throttled, false),
        (403, "<html>Blocked by the proxy</html>", Meaning::Unexpected, false),
        (302, "", Meaning::Unexpected, false),
        (400, r#"{"Code":""}"#, Meaning::Unexpected, false),
        (400, r#"["Code"]"#, Meaning::Unexpected, false),
        (400, r#"{"Code":7}"#, Meaning::Unexpected, false),
    ] {
        let failure = refused(status, &[], body);
        assert_eq!((failure.meaning, failure.maybe_done), (meaning, maybe_done), "{status} {body}");
        assert_eq!(failure.code, format!("<http {status}>"));
        assert!(!failure.message.contains("proxy</html>"), "{failure}");
    }
}

#[test]
fn a_known_code_decides_whatever_the_status_and_an_unknown_one_is_never_ignored() {
    let body = |code: &str| format!(r#"{{"Code":"{code}","Message":"m"}}"#);
    assert_eq!(refused(404, &[], &body("SystemBusy")).meaning, Meaning::Unavailable);
    assert_eq!(refused(503, &[], &body("EndpointServiceNotFound")).meaning, Meaning::Gone);
    assert_eq!(refused(404, &[], &body("Brand.New")).meaning, Meaning::Unexpected);
    assert_eq!(refused(500, &[], &body("Brand.New")).meaning, Meaning::Unavailable);
    assert!(refused(400, &[], &body("IdempotenceProcessing")).maybe_done);
    let response = Response { status: 400, headers: Vec::new(), body: body("EndpointServiceNotFound").into() };
    let asked = decode::failure("CreateVpcEndpoint", &response);
    assert_eq!(asked.meaning, Meaning::Waiting(Reason::WaitingForService), "the action decides too");
    assert!(asked.message.contains("spec.service"), "{asked}");
}

#[test]
fn the_wait_that_is_asked_for_is_kept_within_reason() {
    let body = r#"{"Code":"Throttling.User","Message":"m"}"#;
    let wait = |headers: &[(&str, &str)]| refused(400, headers, body).retry_after;
    assert_eq!(wait(&[("X-Acs-Retry-After", "1500")]), Some(Duration::from_millis(1_500)));
    assert_eq!(wait(&[("retry-after", "2")]), Some(Duration::from_secs(2)));
    assert_eq!(wait(&[("retry-after", "Fri, 02 Jan 2026 03:04:05 GMT")]), None);
    assert_eq!(wait(&[("x-acs-retry-after", "0")]), None);
    assert_eq!(wait(&[("x-acs-retry-after", "-5")]), None);
    assert_eq!(wait(&[("x-acs-retry-after", "99999999999")]), Some(Duration::from_mins(5)));
    let unknown = refused(400, &[("x-acs-retry-after", "10")], r#"{"Code":"Brand.New"}"#);
    assert_eq!(unknown.meaning, Meaning::Throttled, "the header marks throttling whatever the code");
}

#[test]
fn a_success_that_cannot_be_read_may_have_had_its_effect() {
    let failure = Malformed { what: "ServiceId is missing".into() }.failure();
    assert_eq!((failure.meaning, failure.maybe_done), (Meaning::Unexpected, true));
    assert!(failure.to_string().starts_with("<malformed>: "), "{failure}");
    assert!(failure.message.contains("ServiceId is missing"), "{failure}");
}

proptest! {
    #[test]
    fn no_refusal_is_too_strange(status in 100..=999u16, body in prop::collection::vec(any::<u8>(), 0..400)) {
        let failure = decode::failure("A", &Response { status, headers: Vec::new(), body });
        prop_assert!(failure.code.len() <= 128 && !failure.code.is_empty());
    }

    #[test]
    fn no_refusal_in_xml_is_too_strange(body in "(<Error>|</Error>|<Code>|</Code>|<Message>|</Message>|&lt;|&|a|ü){0,40}") {
        let failure = decode::failure("A", &Response { status: 400, headers: Vec::new(), body: body.into() });
        prop_assert!(!failure.code.is_empty() && failure.message.chars().count() <= 1_024);
    }

    #[test]
    fn scrubbing_twice_changes_nothing(text in "([0-9a-fA-F]{1,14}|-|:|T|Z| |\\.|RequestId|LTAI|STS\\.|ms|ep-|…){0,30}") {
        let once = privatelink_core::scrub::scrub(&text);
        prop_assert_eq!(privatelink_core::scrub::scrub(&once), once);
    }
}
