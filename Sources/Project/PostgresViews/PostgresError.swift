internal import EventModel
internal import Projecting

/// What went wrong between this client and the server.
struct PostgresError: Error {
    /// The code of five characters that the server gave (PostgreSQL, appendix A); nil where libpq failed by itself.
    var state: String?
    var message: String
    /// The connection is of no more use.
    var isLost = false
    /// Whether the transaction was committed cannot be known by this alone.
    var isUnsure = false

    /// What was read is not what was written, with the server's own code for that.
    static func damaged(_ why: String) -> PostgresError { PostgresError(state: "XX001", message: why) }

    /// The server gave the transaction up in favour of another; it may be done again.
    var isConflict: Bool { state == "40001" || state == "40P01" }

    /// libpq does not understand an option of the URL, or of the environment: "invalid port number".
    var isOption: Bool { state == nil && message.hasPrefix("invalid ") }

    /// The server is away, goes, comes, or has no room for another connection: it may answer later.
    var isAway: Bool {
        if isOption { return false }
        guard let state else { return isLost }
        return isLost && !isRefusal || state.hasPrefix("08") || ["57P01", "57P02", "57P03", "53300"].contains(state)
    }
    /// Of no use to try again: unknown user, wrong password, no such database.
    private var isRefusal: Bool { ["28", "3D", "42"].contains(state.map { $0.prefix(2) } ?? "") }
}

extension ViewError {
    /// What PostgreSQL said, in words of what to do.
    init(_ error: PostgresError, at address: Address, _ schema: String?) {
        let place = schema.map { "\"\($0)\" in \(address)" } ?? "\(address)"
        let why = error.message
        if error.isOption {
            self.init(.setting, "the views cannot be at \(address): \(why)")
            return
        }
        if error.isAway || error.state == nil && error.isLost {
            let unsure =
                error.isUnsure ? "; whether the last commit counts shows when the partitions are claimed again" : ""
            self.init(
                .unreachable,
                "PostgreSQL does not answer at \(address) (\(why)); is it running, and is the address right?\(unsure)")
            return
        }
        switch error.state ?? "" {
        case "28000", "28P01":
            self.init(
                .denied,
                """
                PostgreSQL at \(address) does not let this user in (\(why)); the password is taken from the URL, \
                PGPASSWORD or ~/.pgpass
                """)
        case "42501":
            self.init(
                .denied,
                """
                \(place): \(why). A projector's user needs CREATE on the database or must own the schema; one who only \
                asks needs USAGE on the schema and SELECT on its tables
                """)
        case "25006":
            self.init(.denied, "\(address) takes no writes (\(why)); is it a standby? Name the primary")
        case "3D000":
            self.init(.setting, "\(address): \(why). Make it with: createdb --encoding UTF8 NAME")
        case "3F000", "42P01":
            self.init(
                .failed,
                "tables of \(place) are gone (\(why)); start the projector anew, and it folds them from the log")
        case "42703", "42804", "42883": self.init(.mismatch, Self.otherShape(place, why))
        case "53100":
            self.init(
                .full,
                "no room is left on the device of \(address) (\(why)); the view stays where it was. Free some and restart"
            )
        case "XX001", "XX002":
            self.init(
                .damaged,
                """
                \(place) is damaged (\(why)). It holds nothing that is not on the log: drop the schema, and its projector \
                will build it again
                """)
        case "22003": self.init(.unstorable, "\(place): a number is beyond 64 bits (\(why)); nothing was written")
        case "22021", "22P05":
            self.init(.unstorable, "\(place): a text cannot be stored in PostgreSQL (\(why)); nothing was written")
        case "54000":
            self.init(
                .unstorable,
                "\(place): a key or an indexed text is too long for an index of PostgreSQL (\(why)); nothing was written"
            )
        case "55P03", "57014":
            self.init(
                .unreachable,
                """
                PostgreSQL at \(address) was too busy (\(why)): a lock is waited for \(PostgresLimits.lock.whole) s and a \
                statement may take \(PostgresLimits.statement.whole) s. Look at pg_stat_activity for who holds "\(schema ?? "")"
                """)
        default:
            let code = error.state.map { " (\($0))" } ?? ""
            self.init(.failed, "\(place): \(why)\(code)")
        }
    }

    static func otherShape(_ place: String, _ why: String) -> ViewError {
        ViewError(.mismatch, otherShape(place, why))
    }
    private static func otherShape(_ place: String, _ why: String) -> String {
        """
        the tables of \(place) are not those of this program (\(why)). Raise the projection's version, or drop the schema \
        and let its projector build it again
        """
    }

    /// Text with a NUL, which PostgreSQL cannot store.
    static func nul(_ column: Column, _ table: Table) -> ViewError {
        ViewError(
            .unstorable,
            """
            a text of \(table.name).\(column.name) has the character NUL, which PostgreSQL cannot store; nothing was \
            written. Refuse it in the domain's check, or keep this view in SQLite
            """)
    }
}

extension Duration {
    /// Whole seconds.
    var whole: Int64 { components.seconds }
}
