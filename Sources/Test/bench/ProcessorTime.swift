internal import Foundation
internal import Metering
internal import TestSupport

/// Processor time of processes, in seconds, user and system.
enum ProcessorTime {
    static func of(_ pid: Int32) throws -> Double {
        guard let found = ticks(pid) else { throw Overdue(description: "/proc/\(pid)/stat is not as it should be") }
        return found.ticks / perSecond
    }

    /// Of a process and of those that it has started.
    static func ofAll(under pid: Int32) -> Double {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let seen = all.compactMap { Int32($0) }.compactMap { ticks($0) }
        return seen.filter { $0.pid == pid || $0.parent == pid }.reduce(0) { $0 + $1.ticks } / perSecond
    }

    private static let perSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

    /// `utime` and `stime` of proc(5), whose fields begin anew behind the name, which may have anything in it.
    private static func ticks(_ pid: Int32) -> (pid: Int32, parent: Int32, ticks: Double)? {
        guard let text = KernelFile.text("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[end...].split(separator: " ")
        guard fields.count > 13, let parent = Int32(fields[2]), let user = Double(fields[12]),
            let system = Double(fields[13])
        else { return nil }
        return (pid, parent, user + system)
    }
}
