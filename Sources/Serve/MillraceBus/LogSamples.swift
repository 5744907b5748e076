package import EventLog
internal import LocalLog
package import Metering

extension EventLog {
    /// How much room the log takes, where it is on this machine.
    package var sizeSamples: [MeasuredSample] {
        guard let size = (self as? LocalLog)?.size else { return [] }
        return [
            MeasuredSample(Measures.logBytes, [], Double(size.bytes)),
            MeasuredSample(Measures.logDisk, [], Double(size.disk)),
            MeasuredSample(Measures.logDiskFree, [], Double(size.free)),
        ]
    }
}
