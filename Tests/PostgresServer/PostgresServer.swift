internal import Foundation
internal import Synchronization

/// A PostgreSQL server of the tests' own: made in a folder of its own, on a port of its own, gone with their process.
///
/// It sorts as English does, which views must not. `fsync` is off, unless asked for: what is tested is what a server promises,
/// not its disk.
public final class PostgresServer: Sendable {
    public struct Failed: Error, CustomStringConvertible { public let description: String }

    /// The folder with the server's programs; nil where there is none.
    static let programs: String? = {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let installed = ["/usr/lib/postgresql", "/opt/homebrew/opt"].flatMap { folder in
            let versions = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return versions.sorted { $0.compare($1, options: .numeric) == .orderedDescending }.map {
                "\(folder)/\($0)/bin"
            }
        }
        return (path + installed).first { folder in
            ["initdb", "pg_ctl", "postgres", "psql"].allSatisfy {
                FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)")
            }
        }
    }()
    public static var isHere: Bool { programs != nil }
    public static let absent =
        "no PostgreSQL server is on this machine (Debian: postgresql-15); Tools/setup installs one"

    /// The one server of this process, made when it is first asked for.
    public static func shared() throws -> PostgresServer { try one.get() }
    private static let one = Result { try PostgresServer() }

    public let folder: String
    public let port: Int
    private let durable: Bool
    private let guardian: Guardian
    private let databases = Mutex<[String: String]>([:])

    /// - Parameter durable: Whether what it has committed is on the disk, for who measures how fast it is.
    public init(durable: Bool = false) throws {
        self.durable = durable
        guard Self.isHere else { throw Failed(description: Self.absent) }
        folder = "/tmp/millrace-pg-\(UUID().uuidString.prefix(13).lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guardian = try Guardian(
            "cat; \(Self.words(Self.asServer + [Self.program("pg_ctl"), "-D", folder + "/data", "-m", "immediate", "stop"])); rm -rf '\(folder)'"
        )
        if let user = Self.user {
            try FileManager.default.setAttributes(
                [.ownerAccountID: user.pointee.pw_uid, .groupOwnerAccountID: user.pointee.pw_gid], ofItemAtPath: folder)
        }
        let make = ["-D", folder + "/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        let english = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
        do {
            try Self.server("initdb", make + english)
        } catch {
            // A version or a build without ICU.
            try Self.server("initdb", make + ["--locale=C"])
        }
        try Data(
            """
            local all all trust
            host all keeper 127.0.0.1/32 scram-sha-256
            host all all 127.0.0.1/32 trust

            """.utf8
        ).write(to: URL(fileURLWithPath: folder + "/data/pg_hba.conf"))
        var port = 0
        for attempt in 1...3 {
            port = try Self.freePort()
            do {
                try Self.start(folder, port, durable)
                break
            } catch { if attempt == 3 { throw error } }
        }
        self.port = port
    }

    /// Starts it again after ``stop(_:)``, at the same address.
    public func start() throws { try Self.start(folder, port, durable) }

    /// Stops it: `fast` ends sessions in order, `immediate` as a crash does.
    public func stop(_ mode: String = "fast") throws {
        try Self.server("pg_ctl", ["-D", folder + "/data", "-m", mode, "-w", "stop"])
    }

    private static func start(_ folder: String, _ port: Int, _ durable: Bool) throws {
        let settings = [
            "listen_addresses=127.0.0.1", "port=\(port)", "unix_socket_directories=\(folder)",
            "fsync=\(durable ? "on" : "off")", "max_connections=200", "shared_buffers=\(durable ? 512 : 64)MB",
            "lc_messages=C",
        ]
        try server(
            "pg_ctl",
            [
                "-D", folder + "/data", "-l", folder + "/server.log", "-w", "-o",
                settings.map { "-c \($0)" }.joined(separator: " "), "start",
            ])
    }

    /// The URL of a database, over TCP.
    public func url(_ database: String, user: String = "postgres") -> String {
        "postgres://\(user)@127.0.0.1:\(port)/\(database)"
    }

    /// The URL of a database of its own for whatever has this name, the same one each time.
    public func url(for name: String) throws -> String {
        try databases.withLock { databases in
            if let url = databases[name] { return url }
            let database = "test_\(databases.count)"
            try psql("CREATE DATABASE \(database)")
            databases[name] = url(database)
            return url(database)
        }
    }

    /// Runs SQL as the superuser; gives rows as lines, with | between columns.
    @discardableResult
    public func psql(_ sql: String, database: String = "postgres") throws -> String {
        try Self.run([
            Self.program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", folder, "-p", "\(port)", "-U", "postgres",
            "-d", database, "-c", sql,
        ]).trimmingCharacters(in: .newlines)
    }

    /// As ``psql(_:database:)``, in the database of a URL.
    @discardableResult
    public func psql(_ sql: String, at url: String) throws -> String {
        try psql(sql, database: String(url.split(separator: "/").last ?? ""))
    }
}

extension PostgresServer {
    /// One of the server's own programs.
    public static func program(_ name: String) -> String { (programs ?? "") + "/" + name }

    /// Who runs the server where the tests run as root, which it refuses to be run by.
    private nonisolated(unsafe) static let user: UnsafeMutablePointer<passwd>? =
        geteuid() == 0 ? getpwnam("postgres") ?? getpwnam("nobody") : nil  // set once, only read

    fileprivate static var asServer: [String] {
        user.map { ["setpriv", "--reuid=\($0.pointee.pw_uid)", "--regid=\($0.pointee.pw_gid)", "--clear-groups"] } ?? []
    }

    @discardableResult
    private static func server(_ name: String, _ arguments: [String]) throws -> String {
        try run(asServer + [program(name)] + arguments)
    }

    @discardableResult
    private static func run(_ command: [String]) throws -> String {
        // Into a file, for a server that is started keeps open what it inherits.
        let file = NSTemporaryDirectory() + "millrace-pg-out-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let pid = try spawn(command, stdin: nil, output: file)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        if status != 0 { throw Failed(description: "\(command.joined(separator: " ")): status \(status): \(text)") }
        return text
    }

    /// Foundation's `Process` takes a program as running for as long as a server that it started.
    fileprivate static func spawn(_ command: [String], stdin: Int32?, output: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let stdin {
            posix_spawn_file_actions_adddup2(&actions, stdin, STDIN_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        let variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") }
        var argv = command.map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let failed = posix_spawnp(&pid, command[0], &actions, nil, &argv, &envp)
        if failed != 0 {
            throw Failed(description: "\(command[0]) cannot be run: \(String(cString: strerror(failed)))")
        }
        return pid
    }

    private static func words(_ command: [String]) -> String { command.map { "'\($0)'" }.joined(separator: " ") }

    private static func freePort() throws -> Int {
        let (socket, port) = try boundSocket()
        close(socket)
        return port
    }

    /// A TCP socket of this machine with a port of its own.
    fileprivate static func boundSocket() throws -> (Int32, port: Int) {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        if !found {
            close(socket)
            throw Failed(description: "no free port")
        }
        return (socket, Int(UInt16(bigEndian: address.sin_port)))
    }
}

/// A shell that waits for the end of this process, however it comes, and then cleans up.
///
/// It holds the reading end of a pipe whose other end this process has: the kernel closes that in any case.
private final class Guardian: Sendable {
    private let end: Int32

    init(_ script: String) throws {
        var ends: [Int32] = [0, 0]
        if pipe(&ends) != 0 { throw PostgresServer.Failed(description: "no pipe can be made") }
        // Other processes that the tests start must not hold it open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        end = ends[1]
        defer { close(ends[0]) }
        _ = try PostgresServer.spawn(
            ["setsid", "sh", "-c", "trap '' INT TERM HUP; cd /; " + script], stdin: ends[0], output: "/dev/null")
    }

    deinit { close(end) }
}

/// Takes connections and never says a word.
public final class SilentServer: Sendable {
    public let port: Int
    private let listener: Int32

    public init() throws {
        (listener, port) = try PostgresServer.boundSocket()
        listen(listener, 16)
    }

    deinit { close(listener) }
}
