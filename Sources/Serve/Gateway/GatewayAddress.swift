package import MillraceBus

/// Where the gateway listens: `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`.
package struct GatewayAddress: Sendable, Hashable, CustomStringConvertible {
    /// Where it listens unless told otherwise.
    package static let standard = GatewayAddress(host: "127.0.0.1", port: 8080)

    /// Without the brackets of an IPv6 address.
    package let host: String
    /// 0 takes a free one.
    package let port: Int

    private init(host: String, port: Int) { (self.host, self.port) = (host, port) }

    /// - Parameter source: Who says it, such as `--http`.
    /// - Throws: ``BusError`` where the text is none.
    package init(_ text: String, from source: String? = nil) throws(BusError) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { throw Self.refusal(text, source) }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            throw Self.refusal(text, source)
        }
        let isName = host.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7f && !["/".utf8.first!, "@".utf8.first!, "?".utf8.first!].contains($0)
        }
        if host.isEmpty || !isName { throw Self.refusal(text, source) }
        self.init(host: host, port: port)
    }

    private static func refusal(_ text: String, _ source: String?) -> BusError {
        let said = source.map { "\($0): " } ?? ""
        return BusError(.usage, "\(said)\(text) is not ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080")
    }

    package func with(port: Int) -> GatewayAddress { GatewayAddress(host: host, port: port) }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine reaches it.
    package var isLoopback: Bool { Self.isLoopback(host) }

    /// Whether a host's name or address is this machine's own: `localhost`, 127.0.0.0/8 or ::1 (RFC 6761, RFC 1122, RFC 4291).
    package static func isLoopback(_ host: String) -> Bool {
        let name = host.lowercased()
        if name == "localhost" || name == "::1" || name == "[::1]" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
