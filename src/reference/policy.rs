//! What the operator must be allowed in an account of Alibaba Cloud: two policies that RAM takes as they are, and a
//! page that says what each action is for. All of it is made from the list of what is called.

use privatelink_core::wire::alibaba::Product;
use privatelink_core::wire::alibaba::action::{ACTIONS, Access, Action};
use serde_json::{Value, json};

use super::{header, line};
use crate::generated::File;

/// The name of the policy for everything.
const MANAGE: &str = "policy-alibaba.json";
/// The name of the policy for looking on.
const OBSERVE: &str = "policy-alibaba-observe.json";

/// The page and the policies.
pub fn files() -> [File; 3] {
    let policy = |name: &str, policy: &Value| File { name: name.to_owned(), text: format!("{policy:#}\n") };
    [
        File { name: "policy-alibaba.md".to_owned(), text: page() },
        policy(MANAGE, &manage()),
        policy(OBSERVE, &observe()),
    ]
}

/// What everything needs, a statement for each matter, so that one that is not wanted can be left out.
fn manage() -> Value {
    let of = |access: Access, field: Option<&str>| {
        allowed(move |action| action.access == access && action.only_with == field)
    };
    let matters = ACTIONS.iter().filter(|action| action.product == Product::PrivateLink);
    let mut fields: Vec<&str> = matters.filter_map(|action| action.only_with).collect();
    fields.sort_unstable();
    fields.dedup();
    let mut statements = vec![of(Access::Read, None), of(Access::Write, None)];
    statements.extend(fields.into_iter().map(|field| allowed(move |action| action.only_with == Some(field))));
    statements.push(json!({
        "Effect": "Allow",
        "Action": ["ram:CreateServiceLinkedRole"],
        "Resource": ["*"],
        "Condition": {"StringEquals": {"ram:ServiceName": ["privatelink.aliyuncs.com"]}},
    }));
    document(&statements)
}

/// What `managementPolicy: Observe` needs.
fn observe() -> Value {
    document(&[allowed(|action| action.access == Access::Read && action.only_with.is_none())])
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "1", "Statement": statements})
}

/// Sessions and questions for the caller need nothing of a policy for the account's objects.
fn allowed(which: impl Fn(&Action) -> bool) -> Value {
    let chosen = ACTIONS.iter().filter(|action| action.product == Product::PrivateLink && which(action));
    let actions: Vec<String> = chosen.map(Action::permission).collect();
    json!({"Effect": "Allow", "Action": actions, "Resource": ["*"]})
}

fn page() -> String {
    let mut page = header();
    line(&mut page, "# What the operator is allowed on Alibaba Cloud\n");
    line(
        &mut page,
        &format!(
            "Two policies for the RAM user or role of a CloudAccount: [{MANAGE}]({MANAGE}) for everything, and \
             [{OBSERVE}]({OBSERVE}) where all objects have `managementPolicy: Observe`. They hold the actions that the \
             operator calls and no other; how to attach them, and how the operator comes to its credentials, is in \
             [Credentials on Alibaba Cloud](../credentials-alibaba.md).\n"
        ),
    );
    line(&mut page, "## Actions\n");
    line(&mut page, "| action | | it is called to | only with |");
    line(&mut page, "| --- | --- | --- | --- |");
    for action in ACTIONS {
        let does = match action.access {
            Access::Read => "reads",
            Access::Write => "writes",
            Access::Session => "session",
        };
        let field = action.only_with.unwrap_or_default();
        line(&mut page, &format!("| `{}` | {does} | {} | {field} |", action.permission(), action.purpose));
    }
    page.push('\n');
    page.push_str(include_str!("policy.md"));
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The actions of a policy, and the names of those that change something.
    fn actions(policy: &Value) -> BTreeSet<&str> {
        let statements = policy["Statement"].as_array().expect("statements");
        statements
            .iter()
            .flat_map(|statement| statement["Action"].as_array().expect("actions"))
            .map(|action| action.as_str().expect("a name"))
            .collect()
    }

    fn listed(which: impl Fn(&Action) -> bool) -> BTreeSet<String> {
        ACTIONS.iter().filter(|action| which(action)).map(Action::permission).collect()
    }

    #[test]
    fn everything_is_what_is_called_and_the_role_that_the_cloud_makes_for_itself() {
        let policy = manage();
        let mut expected = listed(|action| action.product == Product::PrivateLink);
        expected.insert("ram:CreateServiceLinkedRole".to_owned());
        assert_eq!(actions(&policy), expected.iter().map(String::as_str).collect());
        let counted: usize = policy["Statement"]
            .as_array()
            .expect("statements")
            .iter()
            .map(|statement| statement["Action"].as_array().expect("actions").len())
            .sum();
        assert_eq!(counted, expected.len(), "none is allowed twice");
        let conditions: Vec<&Value> = policy["Statement"]
            .as_array()
            .expect("statements")
            .iter()
            .filter(|statement| statement["Action"][0] == "ram:CreateServiceLinkedRole")
            .map(|statement| &statement["Condition"]["StringEquals"]["ram:ServiceName"][0])
            .collect();
        assert_eq!(conditions, ["privatelink.aliyuncs.com"], "for no other product's role");
    }

    #[test]
    fn whoever_only_looks_may_change_nothing() {
        let policy = observe();
        assert_eq!(
            actions(&policy),
            listed(|action| action.product == Product::PrivateLink
                && action.access == Access::Read
                && action.only_with.is_none())
            .iter()
            .map(String::as_str)
            .collect()
        );
        let may_write = listed(|action| action.access != Access::Read);
        assert!(actions(&policy).iter().all(|action| !may_write.contains(*action)));
    }

    /// RAM takes a policy of at most 6,144 characters.
    #[test]
    fn a_policy_is_no_longer_than_ram_takes() {
        let [_, policies @ ..] = files();
        for file in policies {
            assert!(file.text.len() <= 6_144, "{}: {}", file.name, file.text.len());
            let policy: Value = serde_json::from_str(&file.text).expect("JSON");
            assert_eq!(policy["Version"], "1", "{}", file.name);
        }
    }

    #[test]
    fn the_page_names_every_action_and_both_policies() {
        let [page, ..] = files();
        for word in ACTIONS.iter().map(Action::permission).chain([MANAGE.to_owned(), OBSERVE.to_owned()]) {
            assert!(page.text.contains(&word), "{word}");
        }
    }
}
