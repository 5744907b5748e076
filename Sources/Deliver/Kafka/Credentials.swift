internal import CRdkafka
internal import Synchronization

/// The user and the password that a client logs in with (SASL's PLAIN and SCRAM).
public struct Credentials: Sendable, Hashable {
    /// For `sasl.username`.
    public var username: String
    /// For `sasl.password`. It is never shown.
    public var password: String
    /// A user and a password.
    public init(username: String, password: String) { (self.username, self.password) = (username, password) }
}

/// Where they are kept, for a password that is changed while clients run. They are read again when a broker refuses those that
/// a client has, and where they are others, the client logs in with them.
public struct CredentialSource: Sendable {
    /// Reads them again; nil where there are none to be had. It may block.
    public var read: @Sendable () -> Credentials?
    /// Nil where they cannot be read.
    public init(_ read: @escaping @Sendable () -> Credentials?) { self.read = read }
}

extension Client {
    /// Logs in anew from now on with what the source has, where a broker refuses what it had before.
    func renew(from source: CredentialSource) {
        let used = Mutex(source.read())
        news.onRefusedCredentials { [weak self] in
            guard let self, let now = source.read() else { return }
            let isNew = used.withLock { used in
                defer { used = now }
                return used != now
            }
            guard isNew else { return }
            if let error = rd_kafka_sasl_set_credentials(rk, now.username, now.password) {
                rd_kafka_error_destroy(error)
            }
        }
    }
}
