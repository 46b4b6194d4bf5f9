//! Dates and times of day in UTC as clouds write them: what signatures want, and what answers say.

use crate::moment::Moment;

/// `2026-01-02T03:04:05Z`: ISO 8601 to the second.
pub(crate) fn iso(moment: Moment) -> String {
    let seconds = moment.0.div_euclid(1_000);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

/// The moment of a text such as [`iso`] writes; nothing if it is none.
pub(crate) fn of_iso(text: &str) -> Option<Moment> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    moment(year, month, day, time)
}

/// The moment of the `Date` header of an answer, `Fri, 02 Jan 2026 03:04:05 GMT`; nothing if it is none.
pub(crate) fn of_http(text: &str) -> Option<Moment> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.strip_suffix(" GMT")?.split_once(", ")?.1.split(' ').collect();
    let [day, month, year, time] = words.as_slice() else { return None };
    let month = (1..).zip(MONTHS).find(|(_, name)| name == month)?.0;
    moment(year.parse().ok()?, month, day.parse().ok()?, time)
}

fn moment(year: i64, month: i64, day: i64, time: &str) -> Option<Moment> {
    let [hour, minute, second] = numbers(time, ':')?;
    let fits = (0..=9_999).contains(&year)
        && (1..=12).contains(&month)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    let days = days(year, month, day);
    let real = fits && civil(days) == (year, month, day);
    real.then(|| Moment((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000))
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let numbers = text.split(between).map(|part| part.bytes().all(|digit| digit.is_ascii_digit()).then_some(part));
    let numbers: Vec<i64> = numbers.map(|part| part?.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// The days from 1970-01-01 to a day of the proleptic Gregorian calendar: what [`civil`] turns back.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of the proleptic Gregorian calendar, from the days since 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year; 146,097 days are 400 years.
fn civil(days: i64) -> (i64, i64, i64) {
    let since = days + 719_468; // from 0000-03-01
    let era = since.div_euclid(146_097);
    let day_of_era = since.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_698_315_752, "2023-10-26T10:22:32Z"),
            (1_767_323_045, "2026-01-02T03:04:05Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso(Moment(seconds * 1_000)), text);
            assert_eq!(iso(Moment(seconds * 1_000 + 999)), text);
            assert_eq!(of_iso(text), Some(Moment(seconds * 1_000)));
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-01-02 03:04:05Z",
            "2026-02-30T03:04:05Z",
            "2026-13-01T03:04:05Z",
            "2026-01-02T24:04:05Z",
            "2026-01-02T03:60:05Z",
            "2026-01-02T03:04Z",
            "2026-01--2T03:04:05Z",
            "+026-01-02T03:04:05Z",
        ] {
            assert_eq!(of_iso(text), None, "{text}");
        }
    }

    #[test]
    fn the_date_of_an_answer_is_read() {
        assert_eq!(of_http("Fri, 02 Jan 2026 03:04:05 GMT"), Some(Moment(1_767_323_045_000)));
        for text in ["", "02 Jan 2026 03:04:05 GMT", "Fri, 02 Foo 2026 03:04:05 GMT", "Fri, 02 Jan 2026 03:04:05 CET"] {
            assert_eq!(of_http(text), None, "{text}");
        }
    }

    /// Walked day by day with the rule that everyone knows, over four centuries.
    #[test]
    fn each_day_follows_the_one_before() {
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..146_097 {
            assert_eq!(civil(days), (year, month, day));
            assert_eq!(super::days(year, month, day), days);
            let length = match month {
                2 => 28 + i64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }
}
