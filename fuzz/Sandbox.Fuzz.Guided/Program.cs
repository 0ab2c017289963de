using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Targets;

namespace Sandbox.Fuzz.Guided;

/// <summary>sandbox-fuzz-guided TARGET: another engine gives the inputs and sees which lines they reach: AFL++, or libFuzzer through fuzz/libfuzzer/driver.c.</summary>
internal static class Program
{
    private const string LibFuzzerMark = "__LIBFUZZER_SHM_ID";

    private static IFuzzer? s_target;

    private static void Main(string[] arguments)
    {
        if (Environment.GetEnvironmentVariable(LibFuzzerMark) is not null)
        {
            SharpFuzz.Fuzzer.LibFuzzer.Run(data => Run(arguments[0], data));
            return;
        }

        byte[] input = [];
        SharpFuzz.Fuzzer.OutOfProcess.Run(stream =>
        {
            input = input.Length == 0 ? new byte[Target(arguments[0]).MaxInputBytes] : input;
            int length = stream.ReadAtLeast(input, input.Length, throwOnEndOfStream: false);
            Run(arguments[0], input.AsSpan(0, length));
        });
    }

    // Opened under the engine only: instrumented code writes into its map.
    private static IFuzzer Target(string name) => s_target ??= TargetList.Open(name).Target;

    private static void Run(string name, ReadOnlySpan<byte> data)
    {
        IFuzzer target = Target(name);
        if (FuzzEngine.RunOne(target, data[..Math.Min(data.Length, target.MaxInputBytes)], null) is { } finding)
        {
            throw new InvalidOperationException(finding.What);
        }
    }
}
