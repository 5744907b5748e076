internal import Foundation
internal import KVDomain

/// What the RESP front allows at most. Each limit has its name here and nowhere else.
package enum RESPLimits {
    /// Connections at once.
    package static let connections = 10_000
    /// Arguments of one command.
    static let arguments = 20_001
    /// Bytes of one argument. A value has fewer (``KVLimits/value``): one that is longer is refused by name, and the connection
    /// goes on.
    static let argument = command
    /// Bytes of one command.
    static let command = 2_097_152
    /// Bytes of a line: a count, or a command without counts (Redis' own).
    static let line = 65_536
    /// Arguments, and bytes of one, before somebody has said who he is (Redis' own).
    static let unnamedArguments = 10
    static let unnamedArgument = 16_384
    /// Commands of one connection that are taken in before the first of them is answered.
    static let pipelined = 1_024
    /// Bytes of these commands, but that one of any size is taken in.
    static let queued = 8_388_608
    /// Bytes of values in the answers of reads that are made together; those behind them are asked for again.
    static let together = 8_388_608
    /// Bytes of values in one answer, of MGET.
    static let answer = 67_108_864
    /// Bytes of answers that a client has not taken yet, over which no more of its commands are read.
    static let unread = 1_048_576
    /// Places that one SCAN looks at.
    static let scanned = 10_000
    /// Bytes of a connection's name.
    static let name = 128
    /// Bytes of a connection's commands from which on no more are done together: what is decided together is awaited together, and a group
    /// of many megabytes could take longer than an answer is waited for.
    static let group = 1 << 20
    /// Changes that await their outcome, of all connections.
    package static let underWay = 100_000
    /// Threads that read connections. As many processors are left for the handler and the log, and for clients on the same machine: a client
    /// whose thread has to wait for a processor waits for milliseconds.
    package static let threads = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
    /// How long an answer is waited for.
    package static let patience = Duration.seconds(10)
    /// How long connections may go on when the server is told to stop.
    static let grace = Duration.seconds(5)
}
