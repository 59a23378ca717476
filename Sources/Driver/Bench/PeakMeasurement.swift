import CMartlet
import Glibc
import Support

/// Measures a peak kernel on all threads of a pool, in the process and the minute of the measurement it is for.
final class PeakMeasurement {
  typealias Body =
    @convention(c) (
      UnsafePointer<UnsafeMutableRawPointer?>?, UnsafePointer<Int64>?, Int64, Int64
    ) -> Int32

  /// What one thread needs; the pool's threads read it.
  private struct Job {
    var body: Body
    var input: UnsafeMutableRawPointer
    var outputs: UnsafeMutableRawPointer
    var rounds: Int64
  }

  let name: String
  /// The best found so far, in multiply-adds a second.
  private(set) var best = 0.0
  private let work: Int
  private let job: UnsafeMutablePointer<Job>
  private let threads: Int
  private let pool: UnsafeMutablePointer<martlet_pool>?
  private static let outputBytes = PeakKernel.elements * 4

  /// `work` is of one round on one thread.
  init(name: String, library path: String, work: Int, threads: Int, model: UnsafePointer<martlet_model>)
    throws(Diagnostic)
  {
    guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL), let address = dlsym(library, "peak_\(name)") else {
      throw .bug("the peak kernel \(name) cannot be loaded")
    }
    self.name = name
    self.work = work
    self.threads = threads
    pool = threads > 1 ? model.pointee.pool_create(Int32(threads)) : nil
    let input = UnsafeMutableRawPointer.allocate(byteCount: PeakKernel.elements * 8, alignment: 64)
    // Ones for floats and bytes alike would not be: 1.0 as bytes is as good as any other bytes.
    input.initializeMemory(as: Float.self, repeating: 1, count: PeakKernel.elements * 2)
    let outputs = UnsafeMutableRawPointer.allocate(byteCount: PeakMeasurement.outputBytes * threads, alignment: 64)
    job = .allocate(capacity: 1)
    job.initialize(
      to: Job(
        body: unsafeBitCast(address, to: Body.self), input: input, outputs: outputs, rounds: Int64(PeakKernel.rounds)))
  }

  deinit {
    job.pointee.input.deallocate()
    job.pointee.outputs.deallocate()
    job.deallocate()
  }

  /// Runs for some time and keeps the best.
  func measure(seconds: Double = 0.1) {
    let end = BenchClock.now + seconds
    repeat {
      let start = BenchClock.now
      guard runOnce() else { return }
      let rate = Double(work) * Double(PeakKernel.rounds) * Double(threads) / (BenchClock.now - start)
      best = max(best, rate)
    } while BenchClock.now < end
  }

  private func runOnce() -> Bool {
    guard let pool else {
      PeakMeasurement.part(job, 0)
      return true
    }
    return pool.pointee.run(pool, Int64(threads), { PeakMeasurement.part($0, $1) }, job) != 0
  }

  private static func part(_ argument: UnsafeMutableRawPointer?, _ thread: Int64) {
    guard let job = argument?.assumingMemoryBound(to: Job.self).pointee else { return }
    let output = job.outputs + Int(thread) * outputBytes
    withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 2) { buffers in
      buffers[0] = job.input
      buffers[1] = output
      var rounds = job.rounds
      _ = job.body(buffers.baseAddress, &rounds, 0, 1)
    }
  }
}

enum BenchClock {
  /// Seconds since some moment.
  static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
