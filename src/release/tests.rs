//! Which objects are let go, and in which words.

use serde_json::{Value, json};

use super::*;

fn found(kind: &str, name: &str, deleting: bool, finalizers: &[&str]) -> Found {
    let kind = choice::kinds().into_iter().find(|one| one.resource.kind == kind).expect("one of ours");
    let mut metadata = json!({"name": name, "namespace": "team", "uid": name, "finalizers": finalizers});
    if deleting {
        metadata["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
    }
    if !kind.namespaced {
        metadata["namespace"] = Value::Null;
    }
    let object = json!({"metadata": metadata, "spec": {}, "status": {"serviceId": "epsrv-1", "region": "cn-x"}});
    Found { kind, object: serde_json::from_value(object).expect("an object") }
}

fn all() -> Vec<Found> {
    vec![
        found("EndpointService", "deleted", true, &[finalizer::NAME]),
        found("EndpointService", "living", false, &["example.com/other", finalizer::NAME]),
        found("EndpointService", "of-others", true, &["example.com/other"]),
        found("EndpointService", "free", true, &[]),
    ]
}

fn sorted(words: &[&str], include_living: bool) -> Result<(Vec<String>, usize), Error> {
    let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    let (keeping, living) = sort_out(all(), &choice::choose(&words, false)?, include_living)?;
    Ok((keeping.iter().map(Found::title).collect(), living))
}

#[test]
fn what_is_being_deleted_and_kept_by_us_is_released_and_the_living_only_when_asked_for() {
    let deleted = "EndpointService team/deleted".to_owned();
    assert_eq!(sorted(&[], false).expect("clear"), (vec![deleted.clone()], 1));
    let living = "EndpointService team/living".to_owned();
    assert_eq!(sorted(&["pls"], true).expect("clear"), (vec![deleted.clone(), living], 0));
    assert_eq!(sorted(&["pls", "deleted", "of-others"], false).expect("clear"), (vec![deleted], 0));
    assert_eq!(sorted(&["pls/of-others", "pls/free"], true).expect("clear"), (vec![], 0));
}

#[test]
fn what_was_named_and_cannot_be_released_is_said_before_anything_is_done() {
    let told = |words: &[&str]| sorted(words, false).expect_err("refused").to_string();
    let living = told(&["pls", "living", "deleted"]);
    assert!(living.starts_with("not being deleted: EndpointService team/living; delete them first"), "{living}");
    let missing = told(&["pls/deleted", "pls/nobody", "plw/deleted"]);
    let expected = "not found: EndpointService nobody, WhitelistEntry deleted; nothing was changed";
    assert_eq!(missing, expected);
}

#[test]
fn that_there_is_nothing_to_do_is_said_with_what_could_be_asked_for() {
    let plain = "No object in namespace a is being deleted and kept by privatelink.dev/finalizer.";
    assert_eq!(nothing("in namespace a", false, 0), plain);
    let one = format!("{plain} 1 carries it and is not being deleted: --include-living means these too.");
    assert_eq!(nothing("in namespace a", false, 1), one);
    let two = format!("{plain} 2 carry it and are not being deleted: --include-living means these too.");
    assert_eq!(nothing("in namespace a", false, 2), two);
    assert_eq!(
        nothing("in any namespace", true, 0),
        "No object in any namespace is kept by privatelink.dev/finalizer."
    );
}

#[test]
fn what_stays_is_shown_in_a_table() {
    let keeping = [found("EndpointService", "a", true, &[]), found("CloudAccount", "prod", true, &[])];
    let told = announcement(&keeping, &Around::default());
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "KIND              NAME     ACCOUNT   REGION   STAYS IN THE CLOUD");
    assert!(lines[1].starts_with("EndpointService   team/a             "), "{}", lines[1]);
    assert!(lines[2].starts_with("CloudAccount      prod               "), "{}", lines[2]);
    assert!(told.ends_with("It can be adopted by another object, or deleted in the cloud.\n"), "{told}");
}

#[test]
fn nothing_is_done_without_a_yes() {
    let asked = |answer: Option<&str>| {
        let (mut out, mut answer) = (Vec::new(), answer.map(str::as_bytes));
        let person = answer.as_mut().map(|answer| answer as &mut dyn BufRead);
        let agreed = ask(2, &mut out, person).map_err(|error| error.to_string());
        (String::from_utf8(out).expect("text"), agreed)
    };
    let question = "Take privatelink.dev/finalizer off 2 objects? [y/N] ".to_owned();
    for yes in ["y\n", "YES\n"] {
        assert_eq!(asked(Some(yes)), (question.clone(), Ok(())));
    }
    for no in ["", "\n", "n\n", "yet\n"] {
        assert_eq!(asked(Some(no)), (question.clone(), Err("not agreed to; nothing was changed".to_owned())));
    }
    let (printed, refused) = asked(None);
    assert_eq!(printed, "");
    assert!(refused.expect_err("nobody").contains("use --yes"));
}
