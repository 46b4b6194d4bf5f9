//! The operator is killed at every point of a tenant's stay: as it is let in, refused, let in again and let out. It
//! ends as if nothing had happened, and no call has a second effect.

use privatelink_operator::api::WhitelistEntry;
use serde_json::{Value, json};

use crate::killing::{is_a_write, killed_at};
use crate::kube_door::{Asked, Door, When};
use crate::link::{Link, lets_in, of_connection, offer};
use crate::objects::{id, is_settled};
use crate::operator::{Operator, becomes};
use crate::past::calls;

const ALLOW: &str = "AddUserToVpcEndpointService";
const DISALLOW: &str = "RemoveUserFromVpcEndpointService";
const ACCEPT: &str = "EnableVpcEndpointConnection";
const CUT: &str = "DisableVpcEndpointConnection";
/// More requests than an entry needs for any part of its life: a loop that comes so far does not end.
const MOST: usize = 60;

/// Writes of the entry, each of which is a moment to die at.
fn writes_entry(asked: &Asked) -> bool {
    is_a_write(asked) && asked.path.contains("/whitelistentries/")
}

/// Calls to the cloud of which each may be the last, those that ask who calls left out.
fn is_a_call(asked: &Asked) -> bool {
    asked.action != "GetCallerIdentity"
}

/// The moments at which it is killed.
#[derive(Clone, Copy)]
struct Moments {
    door: fn(&Operator) -> &Door,
    test: fn(&Asked) -> bool,
    when: When,
}

/// An entry says that it is settled, with this state of its only connection.
fn ends(endpoint: &str, state: &str) -> impl Fn(&WhitelistEntry) -> bool + Send + Clone + 'static {
    let (endpoint, state) = (endpoint.to_owned(), json!(state));
    move |one| is_settled(one) && of_connection(one, &endpoint).is_some_and(|one| json!(one.state) == state)
}

/// Applies the entry and kills the operator at the `nth` of these moments; whether there was one.
async fn applied(link: &mut Link, moments: Moments, nth: usize, spec: &Value, endpoint: &str, state: &str) -> bool {
    let name = format!("tenant-{nth}");
    let hold = (moments.door)(&link.operator).hold(moments.when, nth, moments.test);
    link.entries.apply(&name, spec).await;
    let test = ends(endpoint, state);
    let ended = becomes(link.entries.api.clone(), &name, "settled", move |one| one.is_some_and(&test));
    let killed = killed_at(&mut link.operator, hold, async { drop(ended.await) }).await;
    link.entries.becomes(&name, &format!("{state} after it was killed"), ends(endpoint, state)).await;
    assert_eq!(link.state_of(endpoint), state, "killed at {nth}");
    killed
}

/// Kills the operator at the first of these moments of each part of a stay, then at the second, and so on to the last.
async fn is_killed_everywhere(what: &str, moments: Moments) {
    let mut link = Link::behind_doors(what).await;
    let service = link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    let says = |connections: Value| lets_in(json!({"connections": connections, "revocation": "Disconnect"}));
    let accepted = says(json!({"action": "Accept", "bandwidthMbps": 200}));
    let refused = says(json!({"action": "Reject"}));
    let mut killed = [0; 4];
    for nth in 1..=MOST {
        // Whoever came before was cut under another entry; this one waits.
        let endpoint = link.has_come(id(&service));
        link.provider.looks_again("gateway", &format!("tenant {nth} has come")).await;
        link.spent();

        let mut now = [false; 4];
        now[0] = applied(&mut link, moments, nth, &accepted, &endpoint, "Connected").await;
        assert_eq!(link.spent(), calls([(ALLOW, 1), (ACCEPT, 1)]), "killed at {nth} of letting in");
        assert_eq!(link.listed(), ["1002000000000002"], "killed at {nth} of letting in");
        assert_eq!(link.the_endpoint()["connection"]["bandwidthMbps"], 200, "killed at {nth} of letting in");
        now[1] = applied(&mut link, moments, nth, &refused, &endpoint, "Disconnected").await;
        assert_eq!(link.spent(), calls([(CUT, 1)]), "killed at {nth} of refusing");
        // What we cut ourselves is not held.
        now[2] = applied(&mut link, moments, nth, &accepted, &endpoint, "Connected").await;
        assert_eq!(link.spent(), calls([(ACCEPT, 1)]), "killed at {nth} of letting in again");

        let name = format!("tenant-{nth}");
        let hold = (moments.door)(&link.operator).hold(moments.when, nth, moments.test);
        link.entries.delete(&name).await;
        let gone = becomes(link.entries.api.clone(), &name, "gone", |one| one.is_none());
        now[3] = killed_at(&mut link.operator, hold, async { drop(gone.await) }).await;
        link.entries.is_gone(&name).await;
        assert_eq!(link.actions(), [DISALLOW, CUT], "killed at {nth} of letting out");
        assert_eq!((link.listed(), link.state_of(&endpoint)), (vec![], "Disconnected".to_owned()), "killed at {nth}");
        link.leaves(&endpoint);
        for (count, now) in killed.iter_mut().zip(now) {
            *count += usize::from(now);
        }
        if now == [false; 4] {
            break;
        }
        assert!(nth < MOST, "there is no end to its requests");
    }
    let [first, cut, again, out] = killed;
    println!(
        "{what}: killed at {first} requests of letting in, {cut} of refusing, {again} of letting in again and {out} of letting out"
    );
    // The fewest that each takes: the finalizer, or the list, and what becomes of it; a status, or a call.
    assert!(first >= 3 && cut >= 1 && again >= 1 && out >= 2, "{killed:?}");
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_any_write_to_kubernetes_a_tenant_is_let_in_and_out_as_declared() {
    let moments = Moments { door: Operator::cluster_door, test: writes_entry, when: When::Asked };
    is_killed_everywhere("entry before writes", moments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_write_to_kubernetes_a_tenant_is_let_in_and_out_as_declared() {
    let moments = Moments { door: Operator::cluster_door, test: writes_entry, when: When::Answered };
    is_killed_everywhere("entry after writes", moments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_any_call_to_the_cloud_and_its_answer_a_tenant_is_let_in_and_out_as_declared() {
    let moments = Moments { door: Operator::cloud_door, test: is_a_call, when: When::Answered };
    is_killed_everywhere("entry after calls", moments).await;
}
