internal import ArgumentParser
internal import EventLog
internal import Foundation
internal import Logging
internal import MillraceBus
internal import MillraceGateway
internal import Passwords
internal import Projecting
internal import Synchronization
internal import Tokens

/// Where and how the gateway serves.
struct HTTPOptions: ParsableArguments {
    /// What ``MILLRACE_HTTP`` says where nothing is to be served.
    private static let off = "off"

    @Option(
        help: ArgumentHelp(
            "Where to serve HTTP: ADDRESS:PORT; port 0 takes a free one (also MILLRACE_HTTP; default: 127.0.0.1:8080).",
            valueName: "address"))
    var http: String?
    @Flag(help: "Serve on an address that others reach, though anybody may do everything there.")
    var insecure = false
    @OptionGroup var keys: TokenKeysOption
    @OptionGroup var credentials: CredentialsOption
    @Option(
        name: .customLong("session-scope"),
        help: ArgumentHelp(
            "What whoever signs in with a password may do, such as social:send; given again, that too.",
            valueName: "scope"))
    var sessionScopes: [String] = []
    @Option(
        name: .customLong("tls-cert"),
        help: ArgumentHelp(
            "A PEM file with the certificate, and those that lead from it to one that clients know: serve HTTPS.",
            valueName: "file"), completion: .file())
    var certificate: String?
    @Option(
        name: .customLong("tls-key"),
        help: ArgumentHelp("A PEM file with the certificate's private key.", valueName: "file"),
        completion: .file())
    var certificateKey: String?
    @Option(
        name: .customLong("cors-origin"),
        help: ArgumentHelp("Let pages of this origin ask, such as https://example.com; * is any.", valueName: "origin"))
    var origins: [String] = []
    @Option(
        name: .customLong("http-rate"),
        help: ArgumentHelp("Requests a second that an address may make (default: 20000).", valueName: "n"))
    var rate: Double?
    @Option(
        name: .customLong("token-rate"),
        help: ArgumentHelp("Requests a second that a token's subject may make (default: 20000).", valueName: "n"))
    var tokenRate: Double?
    @Flag(help: "Log each request: its method, path, status, time and subject.")
    var accessLog = false

    func validate() throws {
        if (certificate == nil) != (certificateKey == nil) {
            throw ValidationError("--tls-cert and --tls-key go together")
        }
        for origin in origins where !Self.isOrigin(origin) {
            throw ValidationError(
                "--cors-origin \(origin) is none as browsers say it, such as https://example.com, without a path; * is any"
            )
        }
        for (name, rate) in [("--http-rate", rate), ("--token-rate", tokenRate)] {
            if let rate, !(rate > 0 && rate <= 1_000_000) {
                throw ValidationError("\(name) must be over 0, and at most 1000000")
            }
        }
    }

    /// Whether it is an origin as browsers write it (RFC 6454, section 6.2): no page would ever be of another.
    static func isOrigin(_ text: String) -> Bool {
        if text == "*" { return true }
        let usual = text.hasPrefix("https:") ? ":443" : text.hasPrefix("http:") ? ":80" : ""
        return text.wholeMatch(of: #/[a-z][a-z0-9+.\-]*:\/\/[a-z0-9.:_\-\[\]]+/#) != nil
            && (usual.isEmpty || !text.hasSuffix(usual))
    }

    /// What somebody has said: nil where nobody has.
    private func said(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> (text: String, source: String)? {
        if let http { return (http, "--http") }
        return environment["MILLRACE_HTTP"].flatMap { $0.isEmpty ? nil : ($0, "MILLRACE_HTTP") }
    }

    /// Whether nobody has said where.
    var isStandard: Bool { said() == nil }

    /// Whether the environment says that nothing is served.
    var isOff: Bool { said()?.text == Self.off }

    /// - Throws: ``BusError`` for an address that is none, or that others reach.
    func settings() throws -> GatewaySettings {
        let address = try said().map { try GatewayAddress($0.text, from: $0.source) } ?? .standard
        let file = keys.file()
        try Gateway.check(address, asksForTokens: file != nil, isInsecure: insecure)
        let authority: any Authority = if let file { try TokenAuthority(file) } else { OpenAuthority() }
        var settings = GatewaySettings(address: address, authority: authority)
        if let certificate, let certificateKey {
            settings.tls = try GatewayTLS(certificate: certificate, key: certificateKey)
        }
        (settings.origins, settings.logsAccess) = (origins, accessLog)
        if let rate { settings.rate = rate }
        if let tokenRate { settings.tokenRate = tokenRate }
        return settings
    }

    func gateway(
        _ app: Application, _ settings: GatewaySettings, log: any EventLog, views: any ViewStore,
        _ places: LogAndViewOptions, _ logger: Logger,
        running: (@Sendable (GatewayAddress) -> Void)? = nil
    ) async throws -> Gateway {
        var settings = settings
        let file = try credentials.file(places)
        try file.check()
        settings.credentials = file
        if !sessionScopes.isEmpty {
            settings.sessionScopes = try Scope.texts(sessionScopes, "--session-scope", in: app)
        }
        return try await Gateway(
            app.domains, log: log, views: views, snapshots: places.snapshots(),
            declared: places.declaredTopics(app), settings: settings, logger: logger,
            running: running ?? { [isSecure = settings.isSecure] in Self.tell($0, isSecure: isSecure) })
    }

    static func tell(_ address: GatewayAddress, isSecure: Bool) {
        Output.complain("\(Program.name): serving \(isSecure ? "https" : "http")://\(address)")
    }
}

/// Where a process serves, once that is known.
final class Serving: Sendable {
    private enum State {
        case pending, nowhere
        case at(GatewayAddress)
    }
    private let state: Mutex<State>
    private let changed = Signal()

    /// - Parameter isAsked: Whether it is to serve at all.
    init(isAsked: Bool) { state = Mutex(isAsked ? .pending : .nowhere) }

    /// - Parameter address: Nil is nowhere.
    func note(_ address: GatewayAddress?) {
        state.withLock { $0 = address.map { .at($0) } ?? .nowhere }
        changed.notify()
    }

    /// The address, or nil where it is nowhere, or not known in time.
    func address(within limit: Duration) async -> GatewayAddress? {
        await changed.first(within: limit) { () -> GatewayAddress?? in
            state.withLock { state -> GatewayAddress?? in
                switch state {
                case .pending: nil
                case .nowhere: .some(nil)
                case .at(let address): .some(address)
                }
            }
        } ?? nil
    }
}
