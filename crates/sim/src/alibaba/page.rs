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
use crate::world::{AccountId, Variant};

/// Items of a page where the action takes no size.
const SIZE_ELSE: usize = 50;

/// What an item of a list is known by in cursors, and sorted by.
pub trait Key: Ord + Sized {
    /// The key as a text that [`Key::read`] reads.
    fn write(&self) -> String;

    /// The key of this text; `None`: it is none.
    fn read(text: &str) -> Option<Self>;
}

impl Key for String {
    fn write(&self) -> String {
        self.clone()
    }

    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// What an account made, by its number.
impl Key for (AccountId, u32) {
    fn write(&self) -> String {
        format!("{} {}", self.0.0, self.1)
    }

    fn read(text: &str) -> Option<Self> {
        let (maker, number) = text.split_once(' ')?;
        Some((AccountId(maker.parse().ok()?), number.parse().ok()?))
    }
}

/// One page of `items`, which are `(key, item)` in any order, each key once: `name` holds the items, beside
/// the size, the cursor of the next page and the number of all items, as far as the action answers them.
/// Only the items of the page are turned into what is shown of them.
///
/// # Errors
/// The vendor's refusal of a cursor that is none of this list's.
pub fn of<K: Key, T>(
    params: &Params<'_>,
    name: &str,
    mut items: Vec<(K, T)>,
    show: impl FnMut(T) -> Value,
) -> Result<Map<String, Value>, Failure> {
    items.sort_by(|one, other| one.0.cmp(&other.0));
    let total = items.len();
    let size = size(params)?;
    let list = filtered(params, name);
    if let Some(cursor) = params.text("NextToken") {
        let after: K =
            read(&list, cursor).ok_or_else(|| params.illegal("NextToken", "it is one that this list answered"))?;
        items.drain(..items.partition_point(|(key, _)| *key <= after));
    }
    let more = items.len() > size;
    items.truncate(size);
    let mut page = Map::new();
    if let Some((last, _)) = items.last().filter(|_| more) {
        page.insert("NextToken".to_owned(), write(&list, last).into());
    } else if params.variants.value(Variant::LastCursor) == "empty" {
        page.insert("NextToken".to_owned(), "".into());
    }
    if params.action.page.is_some() {
        page.insert("MaxResults".to_owned(), size.into());
    }
    if let Some(total) = total_count(params.action, total) {
        page.insert("TotalCount".to_owned(), total);
    }
    page.insert(name.to_owned(), items.into_iter().map(|(_, item)| item).map(show).collect());
    Ok(page)
}

/// How many items a page has: what was asked for, or the action's own size; 0, where it may be asked for, is none.
fn size(params: &Params<'_>) -> Result<usize, Failure> {
    let Some(page) = params.action.page else { return Ok(SIZE_ELSE) };
    let asked: Option<u32> = params.number("MaxResults")?;
    Ok(asked.filter(|size| *size > 0).unwrap_or(page.default) as usize)
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

fn write<K: Key>(list: &str, key: &K) -> String {
    URL_SAFE.encode(format!("{list}\n{}", key.write()))
}

fn read<K: Key>(list: &str, cursor: &str) -> Option<K> {
    let text = String::from_utf8(URL_SAFE.decode(cursor).ok()?).ok()?;
    let (own, key) = text.split_once('\n')?;
    (own == list).then(|| K::read(key)).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::of;
    use crate::alibaba::description::PRIVATELINK;
    use crate::alibaba::params::Params;
    use crate::world::{AccountId, Variants};

    fn keys(range: std::ops::Range<usize>) -> Vec<(String, Value)> {
        range.map(|number| (format!("{number:04}"), Value::from(number))).collect()
    }

    fn page(action: &str, query: &str, items: Vec<(String, Value)>) -> Result<Value, String> {
        page_in(&Variants::default(), action, query, items)
    }

    fn page_in(variants: &Variants, action: &str, query: &str, items: Vec<(String, Value)>) -> Result<Value, String> {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let params = Params::check(&PRIVATELINK.actions[action], variants, pairs).expect("a call");
        of(&params, "Endpoints", items, |item| item).map(Value::Object).map_err(|failure| failure.code)
    }

    /// Numbers of the items that were turned into what is shown of them for one page of 5,000.
    fn shown_for(query: &str) -> (Vec<u32>, Option<String>) {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let params = Params::check(&PRIVATELINK.actions["ListVpcEndpoints"], &Variants::default(), pairs);
        let items = (1..=5_000).map(|number| ((AccountId(7), number), number)).collect();
        let mut shown = Vec::new();
        let page = of(&params.expect("a call"), "Endpoints", items, |number| {
            shown.push(number);
            Value::from(number)
        });
        let cursor = page.expect("a page")["NextToken"].as_str().map(str::to_owned);
        (shown, cursor)
    }

    #[test]
    fn only_what_is_on_the_page_is_shown() {
        let (shown, cursor) = shown_for("RegionId=r");
        assert_eq!(shown, (1..=50).collect::<Vec<_>>());
        let next = format!("RegionId=r&MaxResults=20&NextToken={}", cursor.expect("more"));
        assert_eq!(shown_for(&next).0, (51..=70).collect::<Vec<_>>());
    }

    #[test]
    fn how_the_last_page_ends_is_the_worlds_choice() {
        for (value, end) in [("absent", None), ("empty", Some(""))] {
            let variants = Variants::default().with("lastCursor", value).expect("a value of the variant");
            let list = |number| page_in(&variants, "ListVpcEndpoints", "RegionId=r", keys(0..number)).expect("a page");
            assert_eq!(list(50).get("NextToken").map(|token| token.as_str().expect("a text")), end, "{value}");
            assert!(!list(51)["NextToken"].as_str().expect("more").is_empty(), "{value}");
        }
    }

    #[test]
    fn a_size_of_nothing_is_none_where_it_may_be_asked_for() {
        let variants = Variants::default().with("pageBounds", "metadata").expect("a value of the variant");
        let none = page_in(&variants, "ListVpcEndpoints", "RegionId=r&MaxResults=0", keys(0..60)).expect("a page");
        assert_eq!((&none["MaxResults"], none["Endpoints"].as_array().map(Vec::len)), (&Value::from(50), Some(50)));
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
