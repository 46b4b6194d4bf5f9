//! An operator that went before its objects: what waits for it is released, by the page on uninstalling, and stays in
//! the cloud as it is.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use privatelink_operator::api::{CloudAccount, EndpointService, crd};
use privatelink_operator::control::finalizer;
use serde_json::{Value, json};

use crate::cluster::{self, OPERATOR_NAMESPACE};
use crate::link::{Link, lets_in, offer, tenant, truth};
use crate::objects::id;
use crate::operator::{Operator, apply, becomes};
use crate::past::{CONSUMER, PROVIDER};
use crate::story::Story;
use crate::terminal::{Said, Terminal, blocks};

/// The page.
const PAGE: &str = "docs/how-to/uninstall.md";
/// All of the installation that the page takes away, beside the CRDs.
const INSTALL: &str = "kubectl apply --server-side --force-conflicts -k deploy/base";
/// Whose finalizer is nobody's business.
const FOREIGN: &str = "example.com/keeps";

/// The lines of the table, each as its cells.
fn rows(printed: &str) -> Vec<Vec<String>> {
    let lines = printed.lines().skip_while(|line| !line.starts_with("KIND ")).skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // A cell that says nothing stays one: columns begin where their heads do.
    let heads = printed.lines().find(|line| line.starts_with("KIND ")).expect("a table");
    let starts: Vec<usize> =
        ["KIND", "NAME", "ACCOUNT", "REGION", "STAYS"].iter().map(|head| heads.find(head).expect("a column")).collect();
    let cells = |line: &str| {
        let ends = starts[1..].iter().copied().chain([line.len()]);
        starts.iter().zip(ends).map(|(&start, end)| line[start..end].trim().to_owned()).collect()
    };
    lines.map(cells).collect()
}

/// The services and endpoints of the world, as they are.
fn things(operator: &Operator) -> Value {
    let world = operator.world();
    json!([world["services"], world["endpoints"]])
}

/// A service with this load balancer alone.
fn alone(balancer: &str) -> Value {
    json!({"resources": [{"id": balancer, "type": "CLB", "zone": "cn-hangzhou-f"}]})
}

/// The page's commands below a heading, for these namespaces.
fn pasted(heading: &str, link: &Link) -> Vec<String> {
    let named = |block: String| {
        let block = block.replace("team-a", &link.provider.namespace);
        block.replace("team-b", &link.consumer.namespace)
    };
    blocks(PAGE, heading, "sh").into_iter().map(named).collect()
}

/// Both sides of a link, with an entry and a zone in one's own hands; the ids of service and endpoint.
pub async fn linked(link: &mut Link) -> (String, String) {
    let service = link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    link.entries.settled("tenant", &lets_in(json!({"connections": {"action": "Accept"}}))).await;
    let db = link.consumer.settled("db", &tenant(&json!({"id": id(&service)}), &["f"])).await;
    let pinned = json!({
        "serviceRef": {"name": "gateway"}, "endpoint": {"id": id(&db)}, "zone": "cn-hangzhou-f", "resourceId": "lb-hot",
    });
    link.assignments.settled("db-f", &pinned).await;
    link.entries.looks_again("tenant", "it is connected").await;
    link.provider.looks_again("gateway", "it is connected").await;
    link.spent();
    (id(&service).to_owned(), id(&db).to_owned())
}

/// What is shown of a link: the ids are those of the world.
fn all_that_stays(link: &Link, service: &str, endpoint: &str) -> Vec<Vec<String>> {
    let (_, legs) = truth(&link.operator, endpoint);
    let (interface, zone) = (&legs[0].interface, &legs[0].zone);
    let (here, there) = (&link.provider.namespace, &link.consumer.namespace);
    let (of_provider, of_consumer) = (PROVIDER.account.0.to_string(), CONSUMER.account.0.to_string());
    let row = |kind: &str, name: &str, account: &str, stays: String| {
        [kind, name, account, "cn-hangzhou", &stays].map(str::to_owned).to_vec()
    };
    let nothing = "nothing of its own".to_owned();
    vec![
        row("CloudAccount", "uninstall-consumer", &of_consumer, nothing.clone()),
        row("CloudAccount", "uninstall-provider", &of_provider, nothing),
        row(
            "EndpointService",
            &format!("{here}/gateway"),
            &of_provider,
            format!("{service}; attached: lb-hot ({zone}); connections: 1"),
        ),
        row(
            "Endpoint",
            &format!("{there}/db"),
            &of_consumer,
            format!("{endpoint} of {service}; interfaces: {interface} ({zone})"),
        ),
        row(
            "WhitelistEntry",
            &format!("{here}/tenant"),
            &of_provider,
            format!("{of_consumer} on the list of {service}; connections: {endpoint} (Connected)"),
        ),
        row(
            "ZoneResourceAssignment",
            &format!("{here}/db-f"),
            &of_provider,
            format!("{zone} of {endpoint}; served by lb-hot ({interface})"),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_on_uninstalling_says_what_happens_in_the_right_order_and_in_the_wrong_one() {
    let mut operator = Operator::apart("uninstall").await;
    operator.run(&[]).await;
    let mut link = Link::before(operator, "uninstall", CONSUMER).await;
    linked(&mut link).await;
    let terminal = Terminal::bare(link.operator.cluster, "uninstall");
    terminal.does(INSTALL).await;

    // In the right order: one service is to stay, everything else goes, in the cloud too.
    link.provider.settled("shared", &alone("lb-spare")).await;
    let [keep, delete, look, take_away] = &pasted("In the right order", &link)[..] else { panic!("four steps") };
    terminal.does(keep).await;
    terminal.does(delete).await;
    assert_eq!(terminal.does(look).await, "", "No resources found is said on the standard error");
    let world = link.operator.world();
    assert_eq!((world["services"].as_array().map(Vec::len), &world["endpoints"]), (Some(1), &json!([])));
    assert!(world["services"][0]["tags"]["privatelink.dev/retained"].is_string(), "{}", world["services"]);
    link.operator.end().await;
    terminal.does(take_away).await;
    let definitions = Api::<CustomResourceDefinition>::all(link.operator.admin().await);
    assert_eq!(definitions.list(&ListParams::default()).await.expect("a list").items.len(), 0);

    // It is installed anew, and taken away in the wrong order.
    link.operator.cluster.install().expect("it is installed again");
    terminal.does(INSTALL).await;
    let operator = {
        let Link { mut operator, .. } = link;
        operator.run(&[]).await;
        operator
    };
    let mut link = Link::before(operator, "uninstall", CONSUMER).await;
    let (service, endpoint) = linked(&mut link).await;
    let before = things(&link.operator);
    link.operator.end().await;
    for command in pasted("In the wrong order", &link) {
        terminal.does(&command).await;
    }
    let namespaces = Api::<Namespace>::all(link.operator.admin().await);
    for namespace in [&link.provider.namespace, &link.consumer.namespace] {
        let hangs = |one: Option<&Namespace>| {
            let conditions = one.and_then(|one| one.status.as_ref()?.conditions.clone()).unwrap_or_default();
            conditions.iter().any(|one| one.type_ == "NamespaceFinalizersRemaining" && one.status == "True")
        };
        becomes(namespaces.clone(), namespace, "held up by finalizers", hangs).await;
    }

    for command in pasted("The plugin", &link) {
        let built = env!("CARGO_BIN_EXE_privatelink-operator");
        let lines = command.lines().filter(|line| !line.starts_with("cargo "));
        let lines: Vec<String> = lines.map(|line| line.replace("target/release/privatelink-operator", built)).collect();
        assert!(terminal.does(&lines.join("\n")).await.contains("Usage: kubectl privatelink release"));
    }
    let [show, free] = &pasted("What waits is released", &link)[..] else { panic!("two steps") };
    let printed = terminal.does(show).await;
    let shown = rows(&printed);
    let expected = all_that_stays(&link, &service, &endpoint);
    assert_eq!(shown, expected, "{printed}");
    assert!(printed.ends_with("Nothing was changed.\n"), "{printed}");
    // The namespace's own accounts are gone by now.
    let services = Api::<EndpointService>::namespaced(link.operator.admin().await, &link.provider.namespace);
    assert_eq!(finalizers(&services, "gateway").await, [finalizer::NAME]);

    let printed = terminal.does(free).await;
    assert_eq!(rows(&printed), expected);
    let released = printed.lines().filter(|line| line.ends_with(" released")).count();
    assert_eq!(released, expected.len(), "{printed}");
    for namespace in [&link.provider.namespace, &link.consumer.namespace] {
        becomes(namespaces.clone(), namespace, "gone", |one: Option<&Namespace>| one.is_none()).await;
    }
    for definition in crd::definitions() {
        let gone = |one: Option<&CustomResourceDefinition>| one.is_none();
        becomes(definitions.clone(), &definition.name_any(), "gone", gone).await;
    }
    assert_eq!(things(&link.operator), before, "the cloud is as it was");
    assert_eq!(link.actions(), [""; 0], "nothing was called");
    let said = terminal.runs("kubectl privatelink release -A --yes").await;
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(
        said.out.starts_with("The cluster has no custom resource definition cloudaccounts.privatelink.dev, "),
        "{said:?}"
    );
}

/// An object's finalizers.
async fn finalizers(api: &Api<EndpointService>, name: &str) -> Vec<String> {
    api.get(name).await.expect("it is there").finalizers().to_vec()
}

fn refused(said: &Said, why: &str) {
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.starts_with("error: ") && said.err.contains(why), "{said:?}");
    assert!(said.err.ends_with("nothing was changed\n"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_an_operator_runs_nothing_is_released_but_by_force_and_what_others_keep_stays() {
    let mut story = Story::start("release by force").await;
    let made = story.services.settled("gateway", &alone("lb-hot")).await;
    story.connected(id(&made));
    let foreign = Patch::Json::<()>(
        serde_json::from_value(json!([{"op": "add", "path": "/metadata/finalizers/0", "value": FOREIGN}]))
            .expect("a patch"),
    );
    story.services.api.patch("gateway", &PatchParams::default(), &foreign).await.expect("somebody else keeps it");
    story.services.delete("gateway").await;
    story.services.says("gateway", "BlockedByConnections").await;
    let (before, namespace) = (things(&story.operator), story.namespace.clone());
    story.spent();

    let terminal = Terminal::open(story.operator.cluster, "release by force");
    let said = terminal.runs(&format!("kubectl privatelink release pls/gateway -n {namespace} --yes")).await;
    let lease = format!("operator-under-test renews the Lease {OPERATOR_NAMESPACE}/privatelink-operator");
    refused(&said, &format!("an operator runs: {lease}"));
    assert_eq!(rows(&said.out)[0][4], format!("{}; attached: lb-hot (cn-hangzhou-f); connections: 1", id(&made)));
    assert_eq!(finalizers(&story.services.api, "gateway").await, [FOREIGN, finalizer::NAME]);
    let elsewhere = format!("kubectl privatelink release pls/gateway -n {namespace} --operator-namespace default");
    refused(&terminal.runs(&elsewhere).await, "the standard input is no terminal: use --yes");

    let printed = terminal.does(&format!("kubectl privatelink release pls/gateway -n {namespace} --yes --force")).await;
    let last = printed.lines().last();
    assert_eq!(last, Some(&*format!("EndpointService {namespace}/gateway released, and still kept by {FOREIGN}")));
    assert_eq!(finalizers(&story.services.api, "gateway").await, [FOREIGN]);
    let again = terminal.does(&format!("kubectl privatelink release pls/gateway -n {namespace} --yes")).await;
    let nothing = "is being deleted and kept by privatelink.dev/finalizer.";
    assert_eq!(again, format!("No object in namespace {namespace} {nothing}\n"));
    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    story.services.api.patch("gateway", &PatchParams::default(), &free).await.expect("nobody keeps it");
    story.services.is_gone("gateway").await;
    assert_eq!((story.spent(), things(&story.operator)), (crate::story::calls([]), before));
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_has_died_is_waited_for_until_its_lease_has_run_out() {
    let mut story = Story::start("release after death").await;
    story.services.settled("gateway", &alone("lb-hot")).await;
    story.operator.kill();
    let leases = Api::<Lease>::namespaced(story.operator.admin().await, OPERATOR_NAMESPACE);
    let sooner = Patch::Merge(json!({"spec": {"leaseDurationSeconds": 2}}));
    leases.patch("privatelink-operator", &PatchParams::default(), &sooner).await.expect("it is there");
    story.services.delete("gateway").await;
    let (before, namespace) = (things(&story.operator), story.namespace.clone());

    let terminal = Terminal::open(story.operator.cluster, "release after death");
    let printed = terminal.does(&format!("kubectl privatelink release --namespace {namespace} --yes")).await;
    let lease = format!("operator-under-test holds the Lease {OPERATOR_NAMESPACE}/privatelink-operator");
    let watched = format!("{lease}: watching for up to 2 s whether it still renews it.");
    let released = format!("EndpointService {namespace}/gateway released");
    assert!(printed.lines().any(|line| line == watched), "{printed}");
    assert_eq!(printed.lines().last(), Some(&*released));
    story.services.is_gone("gateway").await;
    // The operator that comes after finds nothing to do.
    story.operator.run(&[]).await;
    assert_eq!(things(&story.operator), before);
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_chosen_as_kubectl_chooses_them_and_what_is_wrong_is_said_before_anything_is_done() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("release").await;
    let admin = cluster.admin_client().await;
    let services = Api::<EndpointService>::namespaced(admin.clone(), &namespace);
    for name in ["living", "deleted"] {
        let service = json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "EndpointService",
            "metadata": {"name": name, "namespace": namespace, "finalizers": [finalizer::NAME]},
            "spec": alone("lb-hot"),
        });
        apply(&services, name, &service).await;
    }
    services.delete("deleted", &DeleteParams::default()).await.expect("it is deleted");
    let terminal = Terminal::open(cluster, "release names");
    let release = |words: &str| format!("kubectl privatelink release {words}");

    let within = |words: &str| release(&format!("{words} -n {namespace}"));
    refused(
        &terminal.runs(&within("pls/living pls/deleted --yes")).await,
        &format!("EndpointService {namespace}/living"),
    );
    refused(&terminal.runs(&within("pls nobody --yes")).await, "not found: EndpointService nobody");
    refused(&terminal.runs(&within("pls,ple")).await, "use --yes");
    for (wrong, why) in
        [("services", "there is no kind services"), ("pls/a ple", "ple: write all objects as TYPE/NAME")]
    {
        let said = terminal.runs(&within(wrong)).await;
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.starts_with(&format!("error: {why}")), "{said:?}");
    }
    let said = terminal.runs(&release("pls --context nobody")).await;
    assert!(said.code == 1 && said.err.contains("--context"), "{said:?}");
    let said = terminal.runs(&release("pls --kubeconfig /nowhere")).await;
    assert!(said.code == 1 && said.err.contains("--kubeconfig"), "{said:?}");
    assert_eq!(terminal.runs(&release("--all")).await.code, 2);
    for name in ["living", "deleted"] {
        assert_eq!(finalizers(&services, name).await, [finalizer::NAME], "{name}");
    }

    // The kubeconfig and its context by name, as kubectl has them.
    let named = "--kubeconfig \"$KUBECONFIG\" --context \"$(kubectl config current-context)\"";
    let printed = terminal.does(&within(&format!("EndpointService --yes {named}"))).await;
    assert_eq!(printed.lines().last(), Some(&*format!("EndpointService {namespace}/deleted released")));
    let stays = rows(&printed)[0][4].clone();
    assert!(
        stays.starts_with("its status says nothing: look in the cloud for the tag privatelink.dev/uid="),
        "{stays}"
    );
    let printed = terminal.does(&within("--yes")).await;
    assert!(
        printed.ends_with("1 carries it and is not being deleted: --include-living means these too.\n"),
        "{printed}"
    );
    let printed = terminal.does(&within("--include-living --yes")).await;
    let still = format!("EndpointService {namespace}/living released, and still there: nobody has deleted it");
    assert_eq!(printed.lines().last(), Some(&*still));
    assert_eq!(finalizers(&services, "living").await, [""; 0]);
    services.delete("living", &DeleteParams::default()).await.expect("it is deleted");

    // An account is in no namespace: it is named, or all are meant.
    let accounts = Api::<CloudAccount>::all(admin);
    let account = json!({
        "apiVersion": "privatelink.dev/v1alpha1", "kind": "CloudAccount",
        "metadata": {"name": namespace, "finalizers": [finalizer::NAME]},
        "spec": {"alibaba": {}, "region": "cn-hangzhou", "credentials": {"environment": {}}},
    });
    apply(&accounts, &namespace, &account).await;
    accounts.delete(&namespace, &DeleteParams::default()).await.expect("it is deleted");
    let printed = terminal.does(&release(&format!("pla {namespace} --yes"))).await;
    assert_eq!(printed.lines().last(), Some(&*format!("CloudAccount {namespace} released")));
    becomes(accounts, &namespace, "gone", |one: Option<&CloudAccount>| one.is_none()).await;
}
