//! Lists in pages. A cursor names the last item of its page, not a place in the list, so that nothing is
//! skipped or shown twice when items come and go between two pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::description::{Action, Kind};
use super::gateway::Failure;
use super::params::Params;
use super::signature::hex;

/// Items of a page where the action takes no size.
const SIZE_ELSE: usize = 50;

/// One page of `items`, which are `(key, item)` in any order, each key once: `name` holds the items, beside
/// the size, the cursor of the next page and the number of all items, as far as the action answers them.
///
/// # Errors
/// The vendor's refusal of a cursor that is none of this list's.
pub fn of(params: &Params<'_>, name: &str, mut items: Vec<(String, Value)>) -> Result<Map<String, Value>, Failure> {
    items.sort_by(|one, other| one.0.cmp(&other.0));
    let total = items.len();
    let size = match params.action.page {
        Some(page) => params.number("MaxResults")?.unwrap_or(page.default) as usize,
        None => SIZE_ELSE,
    };
    let list = filtered(params, name);
    if let Some(cursor) = params.text("NextToken") {
        let after =
            read(&list, cursor).ok_or_else(|| params.illegal("NextToken", "it is one that this list answered"))?;
        items.retain(|(key, _)| *key > after);
    }
    let more = items.len() > size;
    items.truncate(size);
    let mut page = Map::new();
    if let Some((last, _)) = items.last().filter(|_| more) {
        page.insert("NextToken".to_owned(), write(&list, last).into());
    }
    if params.action.page.is_some() {
        page.insert("MaxResults".to_owned(), size.into());
    }
    if let Some(total) = total_count(params.action, total) {
        page.insert("TotalCount".to_owned(), total);
    }
    page.insert(name.to_owned(), items.into_iter().map(|(_, item)| item).collect());
    Ok(page)
}

/// The number of all items, as a text or a number: the description knows which actions answer which.
fn total_count(action: &Action, total: usize) -> Option<Value> {
    let field = action.response.iter().find(|field| field.name == "TotalCount")?;
    Some(if field.kind == Kind::String { total.to_string().into() } else { total.into() })
}

/// The name of the list and what it was asked for: a cursor of other filters is another list's.
fn filtered(params: &Params<'_>, name: &str) -> String {
    let mut hash = Sha256::new();
    for (name, value) in params.telling().filter(|(name, _)| !matches!(*name, "NextToken" | "MaxResults")) {
        hash.update(format!("{}:{name}={}:{value};", name.len(), value.len()));
    }
    format!("{name} {}", hex(&hash.finalize()))
}

fn write(list: &str, key: &str) -> String {
    URL_SAFE.encode(format!("{list}\n{key}"))
}

fn read(list: &str, cursor: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE.decode(cursor).ok()?).ok()?;
    let (own, key) = text.split_once('\n')?;
    (own == list).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::of;
    use crate::alibaba::description::PRIVATELINK;
    use crate::alibaba::params::Params;

    fn keys(range: std::ops::Range<usize>) -> Vec<(String, Value)> {
        range.map(|number| (format!("{number:04}"), Value::from(number))).collect()
    }

    fn page(action: &str, query: &str, items: Vec<(String, Value)>) -> Result<Value, String> {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let params = Params::check(&PRIVATELINK.actions[action], pairs).expect("a call");
        of(&params, "Endpoints", items).map(Value::Object).map_err(|failure| failure.code)
    }

    #[test]
    fn pages_follow_each_other_while_items_come_and_go() {
        let mut items = keys(0..120);
        let first = page("ListVpcEndpoints", "RegionId=r", items.clone()).expect("a page");
        assert_eq!(first["Endpoints"].as_array().map(Vec::len), Some(50));
        assert_eq!((&first["TotalCount"], &first["MaxResults"]), (&Value::from(120), &Value::from(50)));
        items.remove(49);
        items.remove(10);
        items.push(("0049a".to_owned(), Value::from("new")));
        let query = format!("RegionId=r&MaxResults=1000&NextToken={}", first["NextToken"].as_str().expect("more"));
        let rest = page("ListVpcEndpoints", &query, items).expect("a page");
        let shown = rest["Endpoints"].as_array().expect("a list");
        assert_eq!(shown.len(), 71);
        assert_eq!((&shown[0], &shown[1]), (&Value::from("new"), &Value::from(50)));
        assert!(rest.get("NextToken").is_none());
    }

    #[test]
    fn a_total_is_a_text_where_the_vendor_says_so() {
        let text = page("ListVpcEndpointConnections", "RegionId=r", keys(0..3)).expect("a page");
        assert_eq!(text["TotalCount"], Value::from("3"));
        let none = page("ListVpcEndpointServiceResources", "RegionId=r&ServiceId=s", keys(0..3)).expect("a page");
        assert!(none.get("TotalCount").is_none());
    }

    #[test]
    fn a_cursor_belongs_to_what_was_asked_for() {
        let users = |query: &str| page("ListVpcEndpointServiceUsers", query, keys(0..120));
        let first = users("RegionId=r&ServiceId=a&MaxResults=20").expect("a page");
        let token = first["NextToken"].as_str().expect("more");
        let next = |query: &str| users(&format!("{query}&NextToken={token}")).map(|_| ());
        assert_eq!(next("RegionId=r&ServiceId=a&MaxResults=30"), Ok(()));
        for other in ["RegionId=r&ServiceId=b", "RegionId=s&ServiceId=a", "RegionId=r&ServiceId=a&UserId=1"] {
            assert_eq!(next(other), Err("InvalidParameter.NextToken".to_owned()), "{other}");
        }
    }

    #[test]
    fn a_foreign_cursor_is_refused() {
        for cursor in ["x", "bm90aGluZw==", "WW9uZXMKYQ=="] {
            let query = format!("RegionId=r&NextToken={cursor}");
            let refused = page("ListVpcEndpoints", &query, keys(0..3));
            assert_eq!(refused, Err("InvalidParameter.NextToken".to_owned()), "{cursor}");
        }
    }
}
