//! A cluster is lost with all that was in it, and comes back from a backup by the page's own commands: the cloud does
//! not notice.

use kube::Api;
use privatelink_operator::api::CloudAccount;
use serde_json::{Value, json};

use crate::link::Link;
use crate::objects::{id, is_settled};
use crate::operator::{Operator, becomes, is_ready};
use crate::release::linked;
use crate::terminal::{Terminal, blocks};

/// The page.
const PAGE: &str = "docs/how-to/backup-and-restore.md";

/// The services and endpoints of the world without their tags, which name their owners' uids.
fn things(operator: &Operator) -> Value {
    let mut world = operator.world();
    for list in ["services", "endpoints"] {
        for one in world[list].as_array_mut().expect("a list") {
            one.as_object_mut().expect("an object").remove("tags");
        }
    }
    json!([world["services"], world["endpoints"]])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_restored_without_statuses_finds_all_that_it_had() {
    let mut link = Link::start("backup").await;
    let (service, endpoint) = linked(&mut link).await;
    let before = things(&link.operator);
    let terminal = Terminal::open(link.operator.cluster, "backup");
    let [save] = &blocks(PAGE, "Back up", "sh")[..] else { panic!("one block") };
    terminal.does(save).await;

    // All of it is lost, and nobody has told the cloud.
    link.operator.kill();
    for namespace in [&link.provider.namespace, &link.consumer.namespace] {
        terminal.does(&format!("kubectl delete plz,plw,ple,pls --all -n {namespace} --wait=false")).await;
        terminal.does(&format!("kubectl privatelink release -n {namespace} --yes --force")).await;
    }
    let accounts = format!("{} {}", link.provider.account, link.consumer.account);
    terminal.does(&format!("kubectl delete pla {accounts} --wait=false")).await;
    terminal.does("kubectl privatelink release pla --yes --force").await;
    link.provider.is_gone("gateway").await;

    let [apply, start, wait] = &blocks(PAGE, "Restore", "sh")[..] else { panic!("three blocks") };
    terminal.does(apply).await;
    let restored = link.provider.api.get("gateway").await.expect("it is there");
    assert_eq!(restored.status.map(|status| status.common.observed_generation), Some(-1), "it says nothing");
    let cluster = terminal.does("cat ~/cluster-id").await;
    assert_eq!(start.trim(), "privatelink-operator run --cluster-id \"$(cat ~/cluster-id)\"");
    link.operator.run(&["--cluster-id", &cluster]).await;
    terminal.does(wait).await;

    let api = Api::<CloudAccount>::all(link.operator.admin().await);
    for account in [&link.provider.account, &link.consumer.account] {
        becomes(api.clone(), account, "ready", |one: Option<&CloudAccount>| {
            one.is_some_and(|one| is_ready(one.status.as_ref().map(|status| &status.common)))
        })
        .await;
    }
    let gateway = link.provider.becomes("gateway", "settled", is_settled).await;
    let db = link.consumer.becomes("db", "settled", is_settled).await;
    assert_eq!((id(&gateway), id(&db)), (&*service, &*endpoint));
    link.is_true(&db);
    link.entries.becomes("tenant", "settled", is_settled).await;
    link.assignments.becomes("db-f", "settled", is_settled).await;
    assert_eq!(things(&link.operator), before, "the cloud is as it was");
    let written = link.actions();
    assert!(
        written.iter().all(|action| action == "TagResources"),
        "owners have other uids, and nothing else: {written:?}"
    );
    link.never_stopped(&endpoint);

    link.assignments.goes("db-f").await;
    link.consumer.goes("db").await;
    link.entries.goes("tenant").await;
    link.provider.goes("gateway").await;
    assert_eq!(things(&link.operator), json!([[], []]));
    link.stop().await;
}
