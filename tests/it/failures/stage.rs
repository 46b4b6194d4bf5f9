//! What the tests of failures share: one operator with an account that works, the rows that a test must show, and
//! the ways to look at what a person reads.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use privatelink_operator::api::shared::CommonStatus;
use privatelink_operator::api::{CloudAccount, EndpointService};
use privatelink_sim::dump;
use privatelink_sim::world::{AccountId, State, object::Account};
use serde_json::{Value, json};

use super::table::Row;
use crate::cluster::OPERATOR_NAMESPACE;
use crate::objects::Told;
use crate::operator::{Operator, apply};

/// The account that the provider's key speaks for.
pub const PROVIDER: AccountId = AccountId(1_001_000_000_000_001);

/// One operator, one account that works, one namespace that may use it.
pub struct Stage {
    pub operator: Operator,
    pub account: String,
    pub namespace: String,
    pub accounts: Api<CloudAccount>,
    pub services: Api<EndpointService>,
    /// Where the simulated cloud answers.
    pub cloud: String,
    /// Names that a person would read as others, in the table.
    masks: RefCell<Vec<(String, String)>>,
    rows: &'static [Row],
    next: Cell<usize>,
    differing: RefCell<Vec<String>>,
    asked: Cell<u32>,
}

impl Stage {
    /// Starts all of it, to show `rows` in their order.
    pub async fn start(what: &str, rows: &'static [Row]) -> Self {
        Self::start_with(what, rows, &[]).await
    }

    /// The same with these variables in the operator's environment.
    pub async fn start_with(what: &str, rows: &'static [Row], variables: &[(&'static str, &str)]) -> Self {
        let mut operator = Operator::unstarted(&format!("failures {what}")).await;
        for &(variable, value) in variables {
            operator.set(variable, value);
        }
        operator.run(&[]).await;
        let account = format!("failures-{what}");
        let namespace = operator.cluster.namespace(what).await;
        let made = operator.account(&account, &[&namespace]).await;
        let endpoints = made.spec.alibaba.and_then(|alibaba| alibaba.endpoints).expect("they are declared");
        let admin = operator.admin().await;
        Self {
            accounts: Api::all(admin.clone()),
            services: Api::namespaced(admin, &namespace),
            cloud: endpoints["sts"].clone(),
            masks: RefCell::new(vec![(account.clone(), "prod".to_owned()), (namespace.clone(), "team-a".to_owned())]),
            rows,
            next: Cell::new(0),
            differing: RefCell::default(),
            asked: Cell::new(0),
            operator,
            account,
            namespace,
        }
    }

    /// In messages, `name` reads as `shown`.
    pub fn mask(&self, name: &str, shown: &str) {
        self.masks.borrow_mut().push((name.to_owned(), shown.to_owned()));
    }

    /// Applies a service with this load balancer and what else is given.
    pub async fn apply(&self, name: &str, resource: &str, more: Value) {
        let mut spec = json!({
            "accountRef": {"name": self.account},
            "resources": [{"id": resource, "type": "CLB", "zone": "cn-hangzhou-f"}],
        });
        merge(&mut spec, more);
        let object = json!({
            "apiVersion": "privatelink.dev/v1alpha1",
            "kind": "EndpointService",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        });
        apply(&self.services, name, &object).await;
    }

    /// Applies an account of its own that is like the one that works, save for what is given.
    pub async fn apply_account(&self, name: &str, more: Value) {
        let mut spec = json!({
            "alibaba": {"endpoints": {"privatelink": self.cloud, "sts": self.cloud}},
            "region": "cn-hangzhou",
            "credentials": {"secretRef": {"namespace": OPERATOR_NAMESPACE, "name": self.account}},
            "allowedNamespaces": {"from": "Names", "names": [self.namespace]},
        });
        merge(&mut spec, more);
        let object = json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "CloudAccount", "metadata": {"name": name}, "spec": spec,
        });
        apply(&self.accounts, name, &object).await;
    }

    /// Changes the object as the administrator does.
    pub async fn change<K: Told>(&self, api: &Api<K>, name: &str, change: Value) {
        let changed = api.patch(name, &PatchParams::default(), &Patch::Merge(&change)).await;
        changed.unwrap_or_else(|error| panic!("change {name}: {error}"));
    }

    /// Asks for another look at the object, as a person does who has mended something, and waits until it is made.
    pub async fn ask<K: Told>(&self, api: &Api<K>, name: &str) {
        self.wish(api, name).await;
        let value = self.asked.get().to_string();
        let handled = |object: Option<&K>| {
            let common = object.and_then(Told::common);
            common.is_some_and(|common| common.last_handled_reconcile_at.as_ref() == Some(&value))
        };
        self.operator.becomes(api.clone(), name, "looked at", handled).await;
    }

    /// Asks for another look at the object.
    pub async fn wish<K: Told>(&self, api: &Api<K>, name: &str) {
        self.asked.set(self.asked.get() + 1);
        let annotations = json!({"privatelink.dev/reconcile-requested-at": self.asked.get().to_string()});
        self.change(api, name, json!({"metadata": {"annotations": annotations}})).await;
    }

    /// Sets keys of the account's Secret; null takes one away.
    pub async fn secret(&self, text: Value) {
        let api = self.secrets().await;
        let keys = text.as_object().expect("keys");
        let gone: BTreeMap<_, _> = keys.iter().filter(|(_, value)| value.is_null()).collect();
        let set: BTreeMap<_, _> = keys.iter().filter(|(_, value)| !value.is_null()).collect();
        let change = json!({"data": gone, "stringData": set});
        api.patch(&self.account, &PatchParams::default(), &Patch::Merge(&change)).await.expect("the Secret is changed");
    }

    /// The Secret with the credentials that work.
    pub async fn mend_secret(&self) {
        self.secret(json!({
            "accessKeyId": "provider-key", "accessKeySecret": "provider-secret", "securityToken": null,
        }))
        .await;
    }

    pub async fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.operator.admin().await, OPERATOR_NAMESPACE)
    }

    /// Changes what the provider's account is, owes or may.
    pub fn provider(&self, change: impl FnOnce(&mut Account)) {
        self.world(|state| change(state.accounts.get_mut(&PROVIDER).expect("it is in the world")));
    }

    /// Changes the world behind everybody's back.
    pub fn world(&self, change: impl FnOnce(&mut State)) {
        self.operator.sim.with(|cloud| {
            cloud.catch_up();
            let mut state = cloud.state().clone();
            change(&mut state);
            cloud.set_state(state);
        });
    }

    /// Waits until the next row's words are read on the object, and compares them with the table.
    pub async fn reads<K: Told>(&self, wrong: &str, api: &Api<K>, name: &str) {
        let row = self.row(wrong);
        assert_eq!(row.object, K::kind(&()), "{wrong}");
        let reason = |object: Option<&K>| {
            let ready = object.and_then(Told::common).and_then(|common| condition(common, "Ready"));
            let said = ready.map(|(status, reason, _)| (format!("Ready={status}"), reason));
            said.is_some_and(|(ready, reason)| row.conditions.starts_with(&ready) && reason == row.reason)
        };
        let found = self.operator.becomes(api.clone(), name, &format!("{wrong}: {}", row.reason), reason).await;
        let found = found.expect("it is there");
        let common = found.common().expect("a status");
        let conditions: Vec<_> = ["Ready", "Reconciling", "Stalled", "Valid"]
            .into_iter()
            .filter_map(|kind| condition(common, kind).map(|(status, _, _)| format!("{kind}={status}")))
            .filter(|said| said != "Valid=True")
            .collect();
        let (_, _, message) = condition(common, "Ready").expect("it was there");
        self.compare(row, &conditions.join(", "), message);
    }

    /// Compares what was read with the table.
    pub fn compare(&self, row: &Row, conditions: &str, message: &str) {
        let message = self.masked(message);
        if (conditions, &*message) != (row.conditions, row.message) {
            self.differing.borrow_mut().push(format!(
                "{}\n    is\n        conditions: {conditions:?},\n        message: {message:?},\n    instead of\n        \
                 conditions: {:?},\n        message: {:?},",
                row.wrong, row.conditions, row.message
            ));
        }
    }

    /// The next row, which must be this one.
    pub fn row(&self, wrong: &str) -> &'static Row {
        let at = self.next.replace(self.next.get() + 1);
        let row = self.rows.get(at).unwrap_or_else(|| panic!("{wrong}: the table has no more rows here"));
        assert_eq!(row.wrong, wrong, "the table's rows are in the order of the test");
        row
    }

    /// Waits until the object is ready, by itself, and its spec of now is spoken of.
    pub async fn mended<K: Told>(&self, api: &Api<K>, name: &str) {
        let ready = |object: Option<&K>| {
            object.is_some_and(|object| {
                let generation = object.meta().generation;
                object.common().is_some_and(|common| {
                    common.observed_generation == generation.unwrap_or_default()
                        && condition(common, "Ready").is_some_and(|(status, _, _)| status == "True")
                        && condition(common, "Stalled").is_none()
                        && condition(common, "Reconciling").is_none()
                })
            })
        };
        self.operator.becomes(api.clone(), name, "ready again", ready).await;
    }

    /// Deletes the object and waits until it is gone.
    pub async fn goes<K: Told>(&self, api: &Api<K>, name: &str) {
        api.delete(name, &DeleteParams::default()).await.expect("it is deleted");
        self.operator.becomes(api.clone(), name, "gone", |object| object.is_none()).await;
    }

    /// How many Events with this reason were written about this object.
    pub async fn events(&self, kind: &str, name: &str, reason: &str) -> i32 {
        let events = Api::<Event>::all(self.operator.admin().await);
        let all = events.list(&ListParams::default()).await.expect("events are listed");
        let about = |event: &&Event| {
            event.reason.as_deref() == Some(reason)
                && event
                    .regarding
                    .as_ref()
                    .is_some_and(|object| object.kind.as_deref() == Some(kind) && object.name.as_deref() == Some(name))
        };
        let times = |event: &Event| event.series.as_ref().map_or(1, |series| series.count);
        all.items.iter().filter(about).map(times).sum()
    }

    /// The actions that were called by this account.
    pub fn called_by(&self, account: u64) -> Vec<String> {
        let journal = self.operator.sim.with(|cloud| dump::journal(cloud));
        let calls = journal["calls"].as_array().expect("calls").iter();
        calls
            .filter(|call| call["account"] == account)
            .map(|call| call["action"].as_str().expect("a name").to_owned())
            .collect()
    }

    /// The actions that were called, by anybody.
    pub fn called(&self) -> Vec<String> {
        self.operator.sim.with(|cloud| cloud.journal.calls().map(|call| call.action.clone()).collect())
    }

    /// Ends all, and tells which rows were not read as the table has them.
    pub async fn stop(self) {
        let differing = self.differing.into_inner();
        assert!(differing.is_empty(), "the table differs from what is read:\n\n{}", differing.join("\n\n"));
        let shown = self.next.get();
        let unread: Vec<_> = self.rows[shown..].iter().map(|row| row.wrong).collect();
        assert!(unread.is_empty(), "rows that no test has brought about: {unread:?}");
        self.operator.stop().await;
    }

    /// The text with the names of the table, and without what differs from run to run.
    fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, shown) in &*self.masks.borrow() {
            text = text.replace(name, shown);
        }
        for (beginning, digit) in [
            ("epsrv-", char::is_alphanumeric as fn(char) -> bool),
            ("ep-", char::is_alphanumeric),
            ("127.0.0.1:", |c| c.is_ascii_digit()),
        ] {
            let mut kept = String::new();
            let mut parts = text.split(beginning);
            kept.push_str(parts.next().unwrap_or_default());
            for part in parts {
                kept.push_str(beginning);
                kept.push('…');
                kept.push_str(part.trim_start_matches(digit));
            }
            text = kept;
        }
        text
    }
}

/// Lays `more` over `spec`, field by field; null takes one away.
fn merge(spec: &mut Value, more: Value) {
    let Value::Object(more) = more else { panic!("no fields: {more}") };
    for (field, value) in more {
        spec[field] = value;
    }
    spec.as_object_mut().expect("fields").retain(|_, value| !value.is_null());
}

fn condition<'c>(common: &'c CommonStatus, kind: &str) -> Option<(&'c str, &'c str, &'c str)> {
    let found = common.conditions.iter().find(|condition| condition.type_ == kind)?;
    Some((&found.status, &found.reason, &found.message))
}
