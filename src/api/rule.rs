//! The forms that CEL rules take here, so that the same demand reads the same in every kind.
//!
//! A message names the field by its path below `spec` and says what to write instead. Rules run in
//! the API server with a cost budget: every string, list and map that they touch is bounded.

use kube::core::{Reason, Rule};

/// `field` keeps the value it was created with. For fields that are required or defaulted.
///
/// Sits on the field's parent, as all immutability rules do: a rule on the field itself is skipped
/// when the field is absent on one side, so that removing and adding again would get round it.
pub(super) fn immutable(field: &str) -> Rule {
    Rule::new(format!("self.{field} == oldSelf.{field}"))
        .message(&*format!("{field} is immutable: put the old value back, or delete this object and create another"))
        .reason(Reason::FieldValueForbidden)
}

/// `field` stays as it was created: with its value, or absent. For optional fields.
pub(super) fn immutable_optional(field: &str) -> Rule {
    Rule::new(format!(
        "has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"
    ))
    .message(&*format!(
        "{field} is immutable and can be neither added nor removed later: put the old state back, \
         or delete this object and create another"
    ))
    .reason(Reason::FieldValueForbidden)
}

/// Exactly one of `members` is given. `path` names the object in which they stand, or is empty for
/// the spec itself.
pub(super) fn exactly_one(path: &str, members: &[&str]) -> Rule {
    let present: Vec<String> = members.iter().map(|member| format!("has(self.{member})")).collect();
    let list = members.join(", ");
    let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
    Rule::new(format!("[{}].filter(x, x).size() == 1", present.join(", ")))
        .message(&*format!("{place}set exactly one of {list}"))
}

/// The string matches `pattern` (RE2, anchored by the caller); `must_be` ends the sentence
/// "`field` must be …" and gives an example.
pub(super) fn format(field: &str, pattern: &str, must_be: &str) -> Rule {
    Rule::new(format!("self.matches(r'{pattern}')")).message(&*format!("{field} must be {must_be}"))
}

/// The string has neither blanks nor line ends around it, which clouds cut off or refuse.
pub(super) fn trimmed(field: &str) -> Rule {
    Rule::new(r"self.matches(r'(?s)^[^\s\p{Z}](.*[^\s\p{Z}])?$')").message(&*format!(
        "{field} must begin and end with a character that is not blank: take the blanks off, or leave it out"
    ))
}

/// The string says something: it may have blanks and line ends around it.
pub(super) fn not_blank(field: &str) -> Rule {
    Rule::new(r"self.matches(r'[^\s\p{Z}]')")
        .message(&*format!("{field} must hold a character that is not blank: write a word, or leave it out"))
}

/// The string is a description as Alibaba takes it: it does not start like a link.
pub(super) fn description() -> Rule {
    Rule::new("!self.matches(r'(?i)^https?://')")
        .message("description must not start with http:// or https://: begin it with a word")
}

/// The string is the name of an object of Kubernetes that must fit into a label.
pub(super) fn object_name(field: &str) -> Rule {
    format(
        field,
        "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        "the name of an object: lower-case letters, digits, - and ., such as prod-hangzhou",
    )
}

/// The string is the name of a namespace.
pub(super) fn namespace(field: &str) -> Rule {
    format(
        field,
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        "the name of a namespace: lower-case letters, digits and -, such as team-a",
    )
}

/// Each string of the list is the name of a namespace.
pub(super) fn namespace_list(field: &str) -> Rule {
    Rule::new("self.all(n, n.matches(r'^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))")
        .message(&*format!("{field} must be names of namespaces: lower-case letters, digits and -, such as team-a"))
}

/// The string is an id as the clouds write it; `example` is one.
pub(super) fn cloud_id(field: &str, example: &str) -> Rule {
    format(
        field,
        "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        &format!("the id that the cloud gave: letters, digits, -, _ and ., such as {example}"),
    )
}

/// The string is the name of a region.
pub(super) fn region(field: &str) -> Rule {
    format(field, "^[a-z]{2,}(-[a-z0-9]+)+$", "a region as the cloud writes it, such as cn-hangzhou or us-east-1")
}

/// The string is the name of an availability zone.
pub(super) fn zone(field: &str) -> Rule {
    format(field, "^[a-z]{2,}(-[a-z0-9]+)+$", "a zone as the cloud writes it, such as cn-hangzhou-f or us-east-1a")
}

/// The string is a DNS name in lower case, without a dot at its end.
pub(super) fn dns_name(field: &str) -> Rule {
    format(
        field,
        r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        "a DNS name in lower case without a dot at its end, such as db.example.com",
    )
}

/// The object's own name fits into a label, which our ownership tags and labels need.
pub(super) fn short_object_name() -> Rule {
    Rule::new("self.metadata.name.size() <= 63")
        .message("metadata.name must be at most 63 characters: choose a shorter name")
}

/// A list that can name a namespace by selector or by name carries exactly what `from` asks for.
pub(super) fn namespaces_selector(field: &str) -> Rule {
    Rule::new("(self.from == 'Selector') == has(self.selector)")
        .message(&*format!("{field}.selector goes with from: Selector: set both, or neither"))
}

/// The counterpart of [`namespaces_selector`] for a list of names.
pub(super) fn namespaces_names(field: &str) -> Rule {
    Rule::new("(self.from == 'Names') == has(self.names)")
        .message(&*format!("{field}.names goes with from: Names: set both, or neither"))
}

/// `spec.adopt` can change only while the status holds no id yet (`id_field`).
pub(super) fn adopt_until(id_field: &str) -> Rule {
    Rule::new(format!(
        "!has(oldSelf.status) || !has(oldSelf.status.{id_field}) || \
         (has(self.spec.adopt) == has(oldSelf.spec.adopt) && \
         (!has(self.spec.adopt) || self.spec.adopt.id == oldSelf.spec.adopt.id))"
    ))
    .message(&*format!(
        "adopt can change only until status.{id_field} is known: put the old value back, or delete this object (Retain keeps the cloud's) and create another"
    ))
    .reason(Reason::FieldValueForbidden)
}

/// Takes the description off the schema of an enum: the words are shared by fields, and the derive
/// would let the enum's own description win over that of an optional field.
pub(super) fn undescribed(schema: &mut schemars::Schema) {
    schema.remove("description");
}
