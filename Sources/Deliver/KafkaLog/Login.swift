internal import EventLog
internal import Kafka
internal import Synchronization

extension CredentialSource {
    /// - Parameters:
    ///   - properties: What was given at first; nil comes of none that name a user and a password.
    ///   - again: Reads them again.
    ///   - patience: Tells people of others, once.
    init?(
        _ properties: [String: String], again: @escaping @Sendable () -> [String: String]?, _ patience: Patience
    ) {
        guard let first = Credentials(properties) else { return nil }
        let told = Told(first)
        self.init {
            guard let now = again().flatMap({ Credentials($0) }) else { return nil }
            if told.isNews(now) { patience.tell("the user or the password has changed, and is used from now on") }
            return now
        }
    }
}

private final class Told: Sendable {
    private let last: Mutex<Credentials>
    init(_ first: Credentials) { last = Mutex(first) }

    func isNews(_ now: Credentials) -> Bool {
        last.withLock { last in
            defer { last = now }
            return last != now
        }
    }
}

extension Credentials {
    fileprivate init?(_ properties: [String: String]) {
        guard let username = properties["sasl.username"], let password = properties["sasl.password"] else { return nil }
        self.init(username: username, password: password)
    }
}
