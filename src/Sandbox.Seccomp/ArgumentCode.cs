namespace Sandbox.Seccomp;

/// <summary>Instructions of one argument test. struct seccomp_data holds each argument as two little-endian words from offset 16.</summary>
internal static class ArgumentCode
{
    /// <summary>
    /// Appends the test. Where it holds, control falls through to what follows; where it does not, it jumps
    /// <paramref name="failDistance"/> instructions beyond the end of the test.
    /// </summary>
    public static void Append(List<BpfInstruction> code, ArgumentTest test, int failDistance)
    {
        uint low = (uint)(test.Value & 0xFFFF_FFFF);
        uint high = (uint)(test.Value >> 32);
        switch (test.Comparison)
        {
            case Comparison.Equal:
                code.Add(LoadHigh(test));
                code.Add(Jump(BpfInstruction.JumpEqual, high, 0, failDistance + 2));
                code.Add(LoadLow(test));
                code.Add(Jump(BpfInstruction.JumpEqual, low, 0, failDistance));
                break;
            case Comparison.NotEqual:
                code.Add(LoadHigh(test));
                code.Add(Jump(BpfInstruction.JumpEqual, high, 0, 2));
                code.Add(LoadLow(test));
                code.Add(Jump(BpfInstruction.JumpEqual, low, failDistance, 0));
                break;
            case Comparison.Greater:
            case Comparison.GreaterOrEqual:
                code.Add(LoadHigh(test));
                code.Add(Jump(BpfInstruction.JumpGreater, high, 3, 0));
                code.Add(Jump(BpfInstruction.JumpEqual, high, 0, failDistance + 2));
                code.Add(LoadLow(test));
                code.Add(Jump(test.Comparison == Comparison.Greater ? BpfInstruction.JumpGreater : BpfInstruction.JumpGreaterEqual, low, 0, failDistance));
                break;
            case Comparison.Less:
            case Comparison.LessOrEqual:
                code.Add(LoadHigh(test));
                code.Add(Jump(BpfInstruction.JumpGreater, high, failDistance + 3, 0));
                code.Add(Jump(BpfInstruction.JumpEqual, high, 0, 2));
                code.Add(LoadLow(test));
                code.Add(Jump(test.Comparison == Comparison.Less ? BpfInstruction.JumpGreaterEqual : BpfInstruction.JumpGreater, low, failDistance, 0));
                break;
            case Comparison.AnyBit:
                code.Add(LoadHigh(test));
                code.Add(new(BpfInstruction.And, 0, 0, high));
                code.Add(Jump(BpfInstruction.JumpEqual, 0, 0, 3));
                code.Add(LoadLow(test));
                code.Add(new(BpfInstruction.And, 0, 0, low));
                code.Add(Jump(BpfInstruction.JumpEqual, 0, failDistance, 0));
                break;
            case Comparison.OnlyBits:
                code.Add(LoadHigh(test));
                code.Add(new(BpfInstruction.And, 0, 0, ~high));
                code.Add(Jump(BpfInstruction.JumpEqual, 0, 0, failDistance + 3));
                code.Add(LoadLow(test));
                code.Add(new(BpfInstruction.And, 0, 0, ~low));
                code.Add(Jump(BpfInstruction.JumpEqual, 0, 0, failDistance));
                break;
            default:
                throw new InvalidOperationException("unknown comparison");
        }
    }

    /// <summary>How many instructions <see cref="Append"/> adds.</summary>
    public static int Length(ArgumentTest test) => test.Comparison switch
    {
        Comparison.Equal or Comparison.NotEqual => 4,
        Comparison.AnyBit or Comparison.OnlyBits => 6,
        _ => 5,
    };

    private static BpfInstruction LoadLow(ArgumentTest test) => new(BpfInstruction.LoadWord, 0, 0, 16 + (8 * (uint)test.Index));

    private static BpfInstruction LoadHigh(ArgumentTest test) => new(BpfInstruction.LoadWord, 0, 0, 20 + (8 * (uint)test.Index));

    // A distance above 255 throws here (checked conversion): an alternative is never that long, see FilterCompiler.MaxTests.
    private static BpfInstruction Jump(ushort code, uint k, int jumpTrue, int jumpFalse) => new(code, (byte)jumpTrue, (byte)jumpFalse, k);
}
