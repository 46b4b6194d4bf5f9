//! Ownership tags: how a cloud object says which Kubernetes object it belongs to.

use crate::observed::Tags;

/// Cluster that the owner lives in.
pub const CLUSTER: &str = "privatelink.dev/cluster";
/// Kind of the owner.
pub const KIND: &str = "privatelink.dev/kind";
/// Namespace of the owner.
pub const NAMESPACE: &str = "privatelink.dev/namespace";
/// Name of the owner.
pub const NAME: &str = "privatelink.dev/name";
/// Uid of the owner.
pub const UID: &str = "privatelink.dev/uid";
/// All that says who owns, in the order of the tags.
pub const KEYS: [&str; 5] = [CLUSTER, KIND, NAMESPACE, NAME, UID];
/// What replaces the others when the owner goes and the object stays.
pub const RETAINED: &str = "privatelink.dev/retained";
/// What no declared tag may start with.
pub const PREFIX: &str = "privatelink.dev";

/// The Kubernetes object that a cloud object belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Id of the cluster: a setting, by default the uid of kube-system.
    pub cluster: String,
    /// Kind.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
}

/// How the tags of a cloud object and an owner agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// The tags name this very object.
    Ours,
    /// The tags name an object of the same kind, namespace and name with this other uid.
    Namesake(String),
    /// The tags name another object, described here for a message.
    Foreign(String),
    /// No ownership tag.
    Nobodys,
}

impl Owner {
    /// The tags that say so.
    #[must_use]
    pub fn tags(&self) -> Tags {
        let values = [&self.cluster, &self.kind, &self.namespace, &self.name, &self.uid];
        KEYS.iter().zip(values).map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    /// What the tags of a cloud object say about this owner.
    #[must_use]
    pub fn of(&self, tags: &Tags) -> Ownership {
        let tag = |key: &str| tags.get(key).map(String::as_str);
        let said = [CLUSTER, KIND, NAMESPACE, NAME].map(tag);
        if said.iter().all(Option::is_none) && tag(UID).is_none() {
            return Ownership::Nobodys;
        }
        let ours = [&self.cluster, &self.kind, &self.namespace, &self.name].map(|part| Some(part.as_str()));
        if said != ours {
            let [cluster, kind, namespace, name] = said.map(Option::unwrap_or_default);
            return Ownership::Foreign(format!("{kind} {namespace}/{name} of cluster {cluster}"));
        }
        match tag(UID) {
            Some(uid) if uid == self.uid => Ownership::Ours,
            other => Ownership::Namesake(other.unwrap_or_default().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            cluster: "c".into(),
            kind: "EndpointService".into(),
            namespace: "team".into(),
            name: "gateway".into(),
            uid: "u1".into(),
        }
    }

    #[test]
    fn an_owner_knows_its_own_tags() {
        assert_eq!(owner().of(&owner().tags()), Ownership::Ours);
        assert_eq!(owner().of(&Tags::new()), Ownership::Nobodys);
        assert_eq!(owner().of(&[("team".to_owned(), "a".to_owned())].into()), Ownership::Nobodys);
    }

    #[test]
    fn a_namesake_has_another_uid_or_none() {
        let other = Owner { uid: "u2".into(), ..owner() };
        assert_eq!(owner().of(&other.tags()), Ownership::Namesake("u2".into()));
        let mut without = owner().tags();
        without.remove(UID);
        assert_eq!(owner().of(&without), Ownership::Namesake(String::new()));
    }

    #[test]
    fn whatever_differs_otherwise_is_foreign() {
        for other in [
            Owner { cluster: "d".into(), ..owner() },
            Owner { kind: "Endpoint".into(), ..owner() },
            Owner { namespace: "else".into(), ..owner() },
            Owner { name: "other".into(), ..owner() },
        ] {
            assert!(matches!(owner().of(&other.tags()), Ownership::Foreign(_)), "{other:?}");
        }
        let mut half = owner().tags();
        half.remove(NAME);
        assert_eq!(owner().of(&half), Ownership::Foreign("EndpointService team/ of cluster c".into()),);
    }
}
