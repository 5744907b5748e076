internal import EventModel
internal import Foundation

/// Which country an address is in, by a file of ranges: lines of first address, last address and country, with commas between, as
/// they are published for many purposes.
final class Countries: Sendable {
    private struct Address: Hashable, Comparable {
        var high: UInt64
        var low: UInt64
        static func < (a: Address, b: Address) -> Bool { (a.high, a.low) < (b.high, b.low) }

        /// An address of IPv4 is the one of IPv6 that stands for it (RFC 4291, section 2.5.5.2).
        init?(_ text: some StringProtocol) {
            var (four, six) = (in_addr(), in6_addr())
            let text = String(text)
            if inet_pton(AF_INET, text, &four) == 1 {
                (high, low) = (0, 0xffff_0000_0000 | UInt64(UInt32(bigEndian: four.s_addr)))
            } else if inet_pton(AF_INET6, text, &six) == 1 {
                let bytes = withUnsafeBytes(of: &six) { Array($0) }
                high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
                low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
            } else {
                return nil
            }
        }
    }
    private struct Range {
        var first: Address
        var last: Address
        var country: String
    }
    private let ranges: [Range]

    /// Knows no country.
    init() { ranges = [] }

    /// Ranges as lines of a file. A line that names none, such as a header, is passed over.
    init(lines: String) { ranges = Self.ranges(lines) }

    /// Of the file that a setting names; none where it names none.
    ///
    /// - Throws: ``Malformed`` where it cannot be read, or has no range.
    init(_ settings: Settings) throws(Malformed) {
        guard let file = settings.text("links.countries") else {
            ranges = []
            return
        }
        let variable = Settings.variable("links.countries")
        let lines: String
        do {
            lines = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw Malformed(variable, "names \(file), which cannot be read as text: \(error.localizedDescription)")
        }
        ranges = Self.ranges(lines)
        if ranges.isEmpty {
            throw Malformed(
                variable,
                "names \(file), which has no line of first address, last address and country, such as 192.0.2.0,192.0.2.255,DE"
            )
        }
    }

    /// Two letters; empty where it is not known.
    func country(of address: String) -> String {
        if ranges.isEmpty { return "" }
        guard let address = Address(address) else { return "" }
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].first <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, address <= ranges[low - 1].last else { return "" }
        return ranges[low - 1].country
    }

    private static func ranges(_ lines: String) -> [Range] {
        lines.split(whereSeparator: \.isNewline).compactMap { line in
            let parts = line.split(separator: ",").map { $0.filter { $0 != "\"" && $0 != " " } }
            guard parts.count >= 3, let first = Address(parts[0]), let last = Address(parts[1]), first <= last else {
                return nil
            }
            let country = parts[2].uppercased()
            let isCountry = country.utf8.count == 2 && country.utf8.allSatisfy { (0x41...0x5a).contains($0) }
            return isCountry && country != "ZZ" ? Range(first: first, last: last, country: country) : nil
        }.sorted { $0.first < $1.first }
    }
}
