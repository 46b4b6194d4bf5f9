//! Two ways to write down a list of words: closed ones that only we utter, and open ones that a
//! newer version or a cloud may extend.
//!
//! Both are written once, as a table of word and meaning; the enum, its text form, its
//! documentation and the generated reference pages all come from that table.

/// Declares an enum of words that only this project writes: each has a meaning and a remedy.
///
/// Generates `ALL`, `as_str`, `meaning`, `remedy`, `Display`, and `FromStr` that refuses any other
/// word.
macro_rules! closed_vocabulary {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident {
            $( $word:ident: $meaning:literal, $remedy:literal; )+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(
                #[doc = concat!($meaning, " What to do: ", $remedy)]
                $word,
            )+
        }

        impl $name {
            /// Every word, in the order in which the reference page lists them.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];

            /// The word as it stands in a status.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => stringify!($word),)+
                }
            }

            /// What is the case when this word is written, in one or two sentences.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$word => $meaning,)+
                }
            }

            /// What the reader can do about it, in one or two sentences.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self {
                    $(Self::$word => $remedy,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::condition::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|word| word.as_str() == text)
                    .ok_or_else(|| $crate::condition::UnknownWord(text.to_owned()))
            }
        }
    };
}

/// Declares an enum of words that is kept when it is not understood: the last arm holds any other
/// text, so that a status written by a newer version survives being read and written by this one.
///
/// Generates `KNOWN`, `as_str`, `meaning`, `Display`, `From<&str>`, `From<String>`, and serde's two
/// traits in the form of a plain string.
macro_rules! open_vocabulary {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident {
            $( $word:ident: $meaning:literal; )+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(
                #[doc = $meaning]
                $word,
            )+
            /// A word that this version does not know, kept as it was read.
            Unknown(String),
        }

        impl $name {
            /// Every word this version knows, in the order in which the reference lists them.
            pub const KNOWN: &'static [Self] = &[$(Self::$word),+];

            /// The word as it stands in a status.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$word => stringify!($word),)+
                    Self::Unknown(text) => text,
                }
            }

            /// What is the case when this word is written, in one sentence; nothing is claimed
            /// about an unknown word.
            #[must_use]
            pub const fn meaning(&self) -> &'static str {
                match self {
                    $(Self::$word => $meaning,)+
                    Self::Unknown(_) => "A word of another version or of the cloud, kept as it was read.",
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $(stringify!($word) => Self::$word,)+
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $(stringify!($word) => Self::$word,)+
                    _ => Self::Unknown(text),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

pub(crate) use {closed_vocabulary, open_vocabulary};
