//! The pages of `docs/diagnostics`, which `--explain` prints.

use maxspan_diagnostics::Code;

/// The page about a code.
pub(crate) fn page(code: Code) -> &'static str {
    let number = code.info().number;
    PAGES.iter().find(|(known, _)| *known == number).map_or("", |(_, page)| page)
}

macro_rules! pages {
    ($($number:literal)*) => {
        /// The pages by number.
        const PAGES: &[(u16, &str)] =
            &[$(($number, include_str!(concat!("../../../docs/diagnostics/MX", $number, ".md")))),*];
    };
}

pages! {
    1101 1102 1103 1104 1105 1106 1107 1108 1109 1110 1111 1112 1201 1202 1203 1204 1205 1206 1207
    1208 1209 1210 1211 1212 1213 1301 1302 1303 1304 1305 1307 1401 1402 1403 1404 1405 1406 1407
    1408 1409 1410 1411 1412 1413 1414 1415 1501 1502 1503 1504 1505 1506 1507 1508 1601 1602 1603
    1604 1605 1606 1607 1608 1609 1610 1611 1612 1613 1614 1615 1620 1621 1622 1623 1624 1630 1631
    1632 1633 1634 1640 1641 1642 1643 1650 1651 1660 1661 1670 1671 1672 1673 1674 1701
    1801 1802 1803 1804 1805 1806 1901 1902
    2001 2002 2003 2004 2005 2006 2007 2008 2009 2010 2011 2012 2013 2014
    2101 2102 2103 2104 2105 2106 2107 2108 2109 2110 2111
    2112
}

#[cfg(test)]
mod tests {
    use maxspan_diagnostics::codes::REGISTRY;

    use super::{PAGES, page};

    #[test]
    fn every_code_has_its_page() {
        for code in REGISTRY {
            let title = format!("# {code} {}\n", code.info().name);
            assert!(page(*code).starts_with(&title), "the page of {code} must begin with {title:?}");
        }
        assert_eq!(PAGES.len(), REGISTRY.len());
    }
}
