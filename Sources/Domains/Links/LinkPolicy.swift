internal import EventModel
internal import Foundation
internal import Secrets
internal import Synchronization

/// What a deployment says of links: where they are reached, and where they may not lead. It is heeded where a link is followed, so it
/// holds for links that are there already.
struct LinkPolicy: Sendable {
    /// What short links begin with, up to the code; nil is the address that is asked.
    var base: String?
    /// Hosts of this place: a link to a link of its own goes round in circles.
    var hosts: Set<String> = []
    /// Hosts that nothing leads to, and all below them.
    var denied: Set<String> = []
    let visitors: VisitorHash
    let countries: Countries

    init(
        base: String? = nil, hosts: Set<String> = [], denied: Set<String> = [], key: String? = nil, countries: Countries
    ) {
        (self.base, self.hosts, self.denied, self.countries) = (base, hosts, denied, countries)
        visitors = VisitorHash(key: key)
        if let host = base.flatMap({ Self.host(of: $0) }) { self.hosts.insert(host) }
    }

    /// - Throws: ``Malformed`` where a setting is not as it must be.
    init(_ settings: Settings) throws(Malformed) {
        var base = settings.text("links.base")
        if let text = base {
            let url = try WebURL(text, Settings.variable("links.base"))
            if url.query != nil || url.fragment != nil {
                throw Malformed(
                    Settings.variable("links.base"), "has a query or a fragment; it is where codes are put to")
            }
            base = url.text.hasSuffix("/") ? String(url.text.dropLast()) : url.text
        }
        try self.init(
            base: base, hosts: Self.hosts(settings.text("links.hosts"), of: "links.hosts", takesPorts: true),
            denied: Self.hosts(settings.text("links.denied-hosts"), of: "links.denied-hosts", takesPorts: false),
            key: settings.text("links.visitor-key"), countries: Countries(settings))
    }

    /// Hosts as browsers write them, of a setting in which they are written as people do.
    private static func hosts(
        _ text: String?, of name: String, takesPorts: Bool
    ) throws(Malformed) -> Set<String> {
        var hosts: Set<String> = []
        for text in (text ?? "").split(whereSeparator: { $0 == "," || $0 == " " }) {
            guard let url = try? WebURL("http://\(text)/"), url.path == "/", url.query == nil, url.fragment == nil,
                !text.contains("*"), takesPorts || url.port == nil
            else {
                throw Malformed(
                    Settings.variable(name),
                    "has \(text), which is no host\(takesPorts ? "" : " without a port"), such as example.com; all below it are meant too"
                )
            }
            hosts.insert(plain(url.authority))
        }
        return hosts
    }

    /// An authority whose host has one spelling: one that ends with the root's dot is the same machine, and so is an address of IPv4 among
    /// those of IPv6 (RFC 4291, section 2.5.5.2).
    private static func plain(_ authority: String) -> String {
        let host = host(in: authority)
        let name = mapped(host) ?? (host.hasSuffix(".") ? String(host.dropLast()) : host)
        return name + authority.dropFirst(host.count)
    }

    /// `10.0.0.1` of `[::ffff:a00:1]`; nil of any other host.
    private static func mapped(_ host: String) -> String? {
        let begin = "[::ffff:"
        guard host.hasPrefix(begin), host.hasSuffix("]") else { return nil }
        let halves = host.dropFirst(begin.count).dropLast().split(separator: ":").compactMap { UInt16($0, radix: 16) }
        if halves.count != 2 { return nil }
        return halves.flatMap { [$0 >> 8, $0 & 0xff] }.map { "\($0)" }.joined(separator: ".")
    }

    /// Why nobody is led to a URL; nil where everybody may be.
    ///
    /// - Parameter asked: What the client calls this place.
    func refusal(of url: String, asked: String?) -> String? {
        guard let authority = Self.authority(of: url) else { return "it leads nowhere" }
        let plain = Self.plain(authority)
        let host = Self.host(in: plain)
        let isAsked = asked.map { Self.place(of: plain) == Self.place(of: Self.plain($0.lowercased())) } ?? false
        if isAsked || hosts.contains(host) || hosts.contains(plain) {
            return "it leads to a link of this place, and so round in circles"
        }
        if denied.isEmpty { return nil }
        let parts = host.split(separator: ".")
        let isDenied = parts.indices.contains { denied.contains(parts[$0...].joined(separator: ".")) }
        return isDenied || denied.contains(host) ? "this place leads nobody to \(host)" : nil
    }

    /// A plain authority, of which all names of this machine for itself are one.
    private static func place(of authority: String) -> String {
        let name = host(in: authority)
        let isLoopback =
            name.hasSuffix(".localhost") || name.hasPrefix("127.")
            || ["localhost", "[::1]", "[::]", "0.0.0.0"].contains(name)
        return (isLoopback ? "localhost" : name) + authority.dropFirst(name.count)
    }

    /// The host and the port of a URL that is written as browsers do.
    static func authority(of url: String) -> String? {
        let bytes = url.utf8
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8) else {
            return nil
        }
        let begin = bytes.index(colon, offsetBy: 3)
        let end = bytes[begin...].firstIndex {
            $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#")
        }
        return String(url[begin..<(end ?? bytes.endIndex)])
    }
    static func host(of url: String) -> String? { authority(of: url).map { host(in: $0) } }

    /// An authority without its port.
    private static func host(in authority: String) -> String {
        let isBracketed = authority.utf8.first == UInt8(ascii: "[")
        let end = authority.utf8.firstIndex(of: UInt8(ascii: isBracketed ? "]" : ":"))
        guard let end else { return authority }
        return isBracketed ? authority[..<end] + "]" : String(authority[..<end])
    }
}

/// Tells visitors of one day apart without keeping who they are: a keyed hash of the address and the program, whose key is another
/// each day of UTC.
final class VisitorHash: Sendable {
    private let secret: KeyedHash
    private let last = Mutex<(day: Int64, key: KeyedHash)?>(nil)

    /// - Parameter key: What several gateways share; nil is one that nobody knows, and that is gone with the process.
    init(key: String?) { secret = key.map { KeyedHash(key: Array($0.utf8)) } ?? .random() }

    func visitor(_ address: String, _ userAgent: String?, at now: Timestamp) -> String {
        key(of: now.second / 86_400).short("\(address)\n\(userAgent ?? "")")
    }

    private func key(of day: Int64) -> KeyedHash {
        last.withLock { last in
            if let last, last.day == day { return last.key }
            let key = KeyedHash(key: secret.bytes(of: "day \(day)"))
            last = (day, key)
            return key
        }
    }
}

/// How often a wrong password is taken: so many in a minute of one address for one link.
///
/// So many are remembered at once. Where there are more, the oldest is forgotten: whoever makes room so that he may guess on has asked for
/// as many others.
final class Guesses: Sendable {
    static let limit = 10
    static let remembered = 10_000
    private struct State {
        var minute: Int64 = 0
        var counts: [String: Int] = [:]
        /// In the order in which they came, from `first` on.
        var order: [String] = []
        var first = 0

        mutating func forgetOldest() {
            counts[order[first]] = nil
            first += 1
            if first > Guesses.remembered {
                order.removeFirst(first)
                first = 0
            }
        }
    }
    private let state = Mutex(State())

    private func key(_ code: String, _ address: String) -> String { "\(code) \(address)" }

    /// - Returns: nil where one more may be looked at; else after how long it may.
    func take(_ code: String, _ address: String, at now: Timestamp) -> Duration? {
        let key = key(code, address)
        return state.withLock { state in
            if state.minute != now.second / 60 { state = State(minute: now.second / 60) }
            guard let count = state.counts[key] else {
                if state.counts.count >= Self.remembered { state.forgetOldest() }
                state.counts[key] = 1
                state.order.append(key)
                return nil
            }
            if count >= Self.limit { return .seconds((state.minute + 1) * 60 - now.second) }
            state.counts[key] = count + 1
            return nil
        }
    }

    /// One was not looked at.
    func giveBack(_ code: String, _ address: String) {
        let key = key(code, address)
        state.withLock { state in
            if let count = state.counts[key] { state.counts[key] = max(0, count - 1) }
        }
    }
}
