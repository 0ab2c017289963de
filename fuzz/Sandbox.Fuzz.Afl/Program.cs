using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Targets;

namespace Sandbox.Fuzz.Afl;

/// <summary>sandbox-fuzz-afl TARGET: AFL++ gives the inputs and sees which lines they reach.</summary>
internal static class Program
{
    private static void Main(string[] arguments)
    {
        // Not before the fork server runs: instrumented code writes into its map.
        IFuzzer? target = null;
        byte[] input = [];
        SharpFuzz.Fuzzer.OutOfProcess.Run(stream =>
        {
            target ??= TargetList.Open(arguments[0]).Target;
            input = input.Length == 0 ? new byte[target.MaxInputBytes] : input;
            int length = stream.ReadAtLeast(input, input.Length, throwOnEndOfStream: false);
            if (FuzzEngine.RunOne(target, input.AsSpan(0, length), null) is { } finding)
            {
                throw new InvalidOperationException(finding.What);
            }
        });
    }
}
