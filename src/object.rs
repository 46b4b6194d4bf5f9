//! Which Kubernetes object something is about.

/// One Kubernetes object, and no namesake that comes after it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Kind, as manifests write it.
    pub kind: &'static str,
    /// Namespace; empty for a kind that has none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
}

impl std::fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.namespace.is_empty() {
            write!(formatter, "{} {}", self.kind, self.name)
        } else {
            write!(formatter, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_as_people_name_it() {
        let mut key =
            ObjectKey { kind: "EndpointService", namespace: "team".into(), name: "gateway".into(), uid: "u1".into() };
        assert_eq!(key.to_string(), "EndpointService team/gateway");
        key.kind = "CloudAccount";
        key.namespace.clear();
        assert_eq!(key.to_string(), "CloudAccount gateway");
    }
}
