internal import Foundation
package import Metering

/// What the system says of this process, by the names that Prometheus's own clients have for it.
package enum ProcessSamples {
    private static let begun: Double = {
        // The 22nd field is when it began, in ticks since the machine did (proc(5)).
        guard let ticks = fields().flatMap({ $0.count > 19 ? Double($0[19]) : nil }),
            let boot = KernelFile.text("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") })
                .flatMap({ Double($0.dropFirst(6)) })
        else { return 0 }
        return boot + ticks / ticksPerSecond
    }()
    private static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

    /// The fields of `/proc/self/stat` behind the program's name, which may have spaces: the third and on.
    private static func fields() -> [Substring]? {
        guard let text = KernelFile.text("/proc/self/stat"),
            let end = text.lastIndex(of: ")")
        else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }

    package static var now: [MeasuredSample] {
        guard let fields = fields(), fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
            let pages = Double(fields[21])
        else { return [] }
        var samples = [
            MeasuredSample(Measures.processorTime, [], (user + system) / ticksPerSecond),
            MeasuredSample(Measures.memory, [], pages * Double(sysconf(Int32(_SC_PAGESIZE)))),
            MeasuredSample(Measures.begun, [], begun),
        ]
        if let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            // One of them is the folder itself.
            samples.append(MeasuredSample(Measures.files, [], Double(files.count - 1)))
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            samples.append(MeasuredSample(Measures.fileLimit, [], Double(limit.rlim_cur)))
        }
        return samples
    }
}
