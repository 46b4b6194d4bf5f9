//! Which objects a command line means: kinds by any of their names, and objects of them by name, as kubectl reads it.

use std::collections::BTreeSet;

use kube::api::ApiResource;

use crate::api::{GROUP, VERSION, crd};

/// One of our kinds, as a command line may name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// How it is asked for.
    pub resource: ApiResource,
    /// Its objects are in namespaces.
    pub namespaced: bool,
    /// The words for it, all in small letters.
    words: Vec<String>,
}

/// Objects of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The kind.
    pub kind: Known,
    /// Their names; none are given where all are meant.
    pub names: BTreeSet<String>,
}

/// Why nobody knows which objects are meant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unclear {
    /// No kind is called so.
    #[error("there is no kind {0}: the kinds are {kinds}", kinds = all())]
    Kind(String),
    /// The two ways of writing names are mixed.
    #[error("{0}: write all objects as TYPE/NAME, or one TYPE and then the names")]
    Mixed(String),
    /// A name stands in each namespace for another object.
    #[error("{0}: an object is named in one namespace: give -n instead of -A, or no names")]
    Everywhere(String),
}

/// All five kinds, in the order in which a reader meets them.
#[must_use]
pub fn kinds() -> Vec<Known> {
    let known = crd::definitions().into_iter().map(|definition| {
        let names = definition.spec.names;
        let plural = names.plural;
        let words = [plural.clone(), format!("{plural}.{GROUP}"), names.kind.to_lowercase()].into_iter();
        let words = words.chain(names.singular).chain(names.short_names.into_iter().flatten());
        Known {
            words: words.collect(),
            namespaced: definition.spec.scope == "Namespaced",
            resource: ApiResource {
                group: GROUP.to_owned(),
                version: VERSION.to_owned(),
                api_version: format!("{GROUP}/{VERSION}"),
                kind: names.kind,
                plural,
            },
        }
    });
    known.collect()
}

/// What these words mean. Without words all kinds are meant: those in namespaces alone, unless it is `everywhere`.
///
/// # Errors
/// [`Unclear`]
pub fn choose(words: &[String], everywhere: bool) -> Result<Vec<Wanted>, Unclear> {
    let Some((first, names)) = words.split_first() else {
        let all = kinds().into_iter().filter(|kind| everywhere || kind.namespaced);
        return Ok(all.map(|kind| Wanted { kind, names: BTreeSet::new() }).collect());
    };
    let mut wanted: Vec<Wanted> = Vec::new();
    if first.contains('/') {
        for word in words {
            let (kind, name) = word.split_once('/').ok_or_else(|| Unclear::Mixed(word.clone()))?;
            add(&mut wanted, kind, &[name.to_owned()])?;
        }
    } else {
        if let Some(mixed) = names.iter().find(|name| name.contains('/')) {
            return Err(Unclear::Mixed(mixed.clone()));
        }
        for kind in first.split(',') {
            add(&mut wanted, kind, names)?;
        }
    }
    let by_name = wanted.iter().find(|one| one.kind.namespaced && !one.names.is_empty());
    match by_name {
        Some(one) if everywhere => Err(Unclear::Everywhere(one.names.first().cloned().unwrap_or_default())),
        _ => Ok(wanted),
    }
}

fn add(wanted: &mut Vec<Wanted>, word: &str, names: &[String]) -> Result<(), Unclear> {
    let small = word.to_lowercase();
    let kind = kinds().into_iter().find(|kind| kind.words.contains(&small));
    let kind = kind.ok_or_else(|| Unclear::Kind(word.to_owned()))?;
    match wanted.iter_mut().find(|one| one.kind == kind) {
        Some(one) => one.names.extend(names.iter().cloned()),
        None => wanted.push(Wanted { kind, names: names.iter().cloned().collect() }),
    }
    Ok(())
}

fn all() -> String {
    kinds().into_iter().map(|kind| kind.resource.plural).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(words: &[&str], everywhere: bool) -> Result<Vec<(String, Vec<String>)>, Unclear> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let wanted = choose(&words, everywhere)?.into_iter();
        Ok(wanted.map(|one| (one.kind.resource.kind, one.names.into_iter().collect())).collect())
    }

    fn expected(all: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        all.iter().map(|(kind, of)| ((*kind).to_owned(), names(of))).collect()
    }

    #[test]
    fn without_words_all_kinds_are_meant_and_accounts_with_all_namespaces_only() {
        let four: [(&str, &[&str]); 4] =
            [("EndpointService", &[]), ("Endpoint", &[]), ("WhitelistEntry", &[]), ("ZoneResourceAssignment", &[])];
        assert_eq!(chosen(&[], false), Ok(expected(&four)));
        let [service, endpoint, entry, zone] = four;
        assert_eq!(chosen(&[], true), Ok(expected(&[("CloudAccount", &[]), service, endpoint, entry, zone])));
    }

    #[test]
    fn a_kind_is_found_by_each_of_its_names() {
        for word in ["pls", "EndpointService", "endpointservices", "endpointservices.privatelink.dev"] {
            assert_eq!(chosen(&[word], false), Ok(expected(&[("EndpointService", &[])])), "{word}");
        }
        assert_eq!(chosen(&["ple,pla"], false), Ok(expected(&[("Endpoint", &[]), ("CloudAccount", &[])])));
    }

    #[test]
    fn objects_are_named_in_both_ways_of_kubectl() {
        assert_eq!(chosen(&["pls", "a", "b"], false), Ok(expected(&[("EndpointService", &["a", "b"])])));
        assert_eq!(
            chosen(&["pls/a", "plw/b", "pls/c"], false),
            Ok(expected(&[("EndpointService", &["a", "c"]), ("WhitelistEntry", &["b"])]))
        );
        assert_eq!(chosen(&["pla/prod"], true), Ok(expected(&[("CloudAccount", &["prod"])])));
    }

    #[test]
    fn what_is_not_clear_is_refused_with_the_remedy() {
        let told = |words: &[&str], everywhere| chosen(words, everywhere).expect_err("refused").to_string();
        let unknown = told(&["services"], false);
        assert!(unknown.starts_with("there is no kind services: the kinds are cloudaccounts, "), "{unknown}");
        for mixed in [&["pls/a", "b"], &["pls", "plw/b"]] {
            assert!(told(mixed, false).ends_with("write all objects as TYPE/NAME, or one TYPE and then the names"));
        }
        assert!(told(&["pls/a"], true).starts_with("a: an object is named in one namespace"));
    }
}
