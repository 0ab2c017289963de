using Sandbox.Bench.Figures;
using Sandbox.Bench.Machines;
using Sandbox.Linux;

namespace Sandbox.Bench.Subjects;

/// <summary>Many at once: VMM and a disk's process each, jailed and filtered, until every guest has run its first instruction.</summary>
internal static class ParallelSubject
{
    public static Table Measure(int rounds, string image)
    {
        List<IReadOnlyList<string>> rows = [];
        foreach (int count in (int[])[1, 10, 50, 100])
        {
            List<double> each = [], total = [];
            for (int round = -1; round < rounds; round++)
            {
                (double[] starts, double all) = StartMany(count, image);
                if (round >= 0)
                {
                    each.AddRange(starts);
                    total.Add(all);
                }
            }

            Series starting = new(each);
            double cost = new Series(total).Median / count;
            rows.Add([$"{count}", $"{starting.Median:F1}", $"{starting.Quantile(0.99):F1}", $"{starting.Quantile(0.99) / starting.Median:F2}", $"{cost:F2}"]);
        }

        return new Table(
            "Sandboxes started at once (VMM and one device process, jailed and filtered)", ["at once", "median ms", "P99 ms", "P99 / median", "ms of the machine for each"], rows,
            "A start lasts until its guest's first instruction; the starts share this machine's processors. Goals: the last column flat, P99 ≤ 3 × median.");
    }

    private static (double[] Starts, double All) StartMany(int count, string image)
    {
        Task<BenchVm>[] starts = new Task<BenchVm>[count];
        long begun = MonotonicClock.Nanoseconds;
        for (int index = 0; index < count; index++)
        {
            starts[index] = Task.Run(() => BenchVm.StartAsync(new BenchVmOptions { Guest = "halt", DiskImage = image }));
        }

        // A thread of its own for each console: what is measured must not wait for a thread pool that grows slowly.
        double[] times = new double[count];
        Thread[] readers = new Thread[count];
        for (int index = 0; index < count; index++)
        {
            int place = index;
            readers[index] = new Thread(() => times[place] = (starts[place].GetAwaiter().GetResult().WaitFor('h') - begun) / 1e6);
            readers[index].Start();
        }

        foreach (Thread reader in readers)
        {
            reader.Join();
        }

        double all = (MonotonicClock.Nanoseconds - begun) / 1e6;
        foreach (Task<BenchVm> start in starts)
        {
            start.Result.Dispose();
        }

        return (times, all);
    }
}
