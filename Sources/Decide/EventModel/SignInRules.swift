/// How people sign in to a domain that has accounts: which of its commands come with a password, and where it is told what
/// holds.
///
/// A password itself never reaches the domain. Whoever takes it in, a gateway or the command line, keeps what checks it under
/// the command's id in a store of credentials, and sends the command without it. It holds once the domain says so: an account
/// names the id of the command that set its password. Of each of these commands the actor (``Domain/naming(actor:of:)``) is
/// whose password it is.
public struct SignInRules: Sendable, Hashable {
    /// The command that makes an account, with its first password.
    public let registering: String
    /// The command that sets another password. Its field `proved` is told the credential whose password was shown.
    public let changingPassword: String
    /// The command that opens a session. Its field `credential` is told the credential whose password was shown. The event
    /// that it makes has the fields `session` and `expiresAt`.
    public let opening: String
    /// The query that answers for a `user` with the `credential` that holds, and `deactivated_at` where none does any more.
    public let credential: String
    /// The query that answers with each `session` of a `user` whose tokens are not taken any more: users may name theirs alike.
    public let closed: String

    /// Names what a domain signs in with.
    public init(registering: String, changingPassword: String, opening: String, credential: String, closed: String) {
        (self.registering, self.changingPassword, self.opening) = (registering, changingPassword, opening)
        (self.credential, self.closed) = (credential, closed)
    }

    /// Whether a command comes with a password.
    public func takesPassword(_ command: String) -> Bool {
        [registering, changingPassword, opening].contains(command)
    }
}
