using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Targets;

namespace Sandbox.Fuzz.Afl;

/// <summary>sandbox-fuzz-afl TARGET: AFL++ gives the inputs and sees which lines they reach.</summary>
internal static class Program
{
    private static void Main(string[] arguments)
    {
        using TargetLease lease = TargetList.Open(arguments[0]);
        IFuzzer target = lease.Target;
        byte[] input = new byte[target.MaxInputBytes];
        SharpFuzz.Fuzzer.OutOfProcess.Run(stream =>
        {
            int length = stream.ReadAtLeast(input, input.Length, throwOnEndOfStream: false);
            if (FuzzEngine.RunOne(target, input.AsSpan(0, length), null) is { } finding)
            {
                throw new InvalidOperationException(finding.What);
            }
        });
    }
}
