using System.Buffers.Binary;

namespace Sandbox.Host;

/// <summary>Walks through a classic BPF program (linux/filter.h) with the number of a system call known and its arguments not: every answer that it can give.</summary>
internal static class FilterWalk
{
    public const int InstructionBytes = 8; // struct sock_filter

    private const uint ArchitectureX8664 = 0xC000_003E; // AUDIT_ARCH_X86_64
    private const uint NumberOffset = 0; // struct seccomp_data
    private const uint ArchitectureOffset = 4;

    /// <exception cref="InvalidDataException">An instruction that no filter of ours has, or a jump out of the program.</exception>
    public static HashSet<uint> AnswersTo(ReadOnlySpan<byte> program, uint number)
    {
        HashSet<uint> answers = [];
        HashSet<(int, uint?)> seen = [];
        Stack<(int At, uint? Accumulator)> open = new([(0, null)]);
        while (open.TryPop(out (int At, uint? Accumulator) place))
        {
            if (!seen.Add(place))
            {
                continue;
            }

            if ((uint)place.At >= (uint)(program.Length / InstructionBytes))
            {
                throw new InvalidDataException("a filter jumps out of its program");
            }

            ReadOnlySpan<byte> instruction = program.Slice(place.At * InstructionBytes, InstructionBytes);
            uint operand = BinaryPrimitives.ReadUInt32LittleEndian(instruction[4..]);
            int next = place.At + 1;
            switch (BinaryPrimitives.ReadUInt16LittleEndian(instruction))
            {
                case 0x20: // BPF_LD | BPF_W | BPF_ABS
                    open.Push((next, operand switch { NumberOffset => number, ArchitectureOffset => ArchitectureX8664, _ => null }));
                    break;
                case 0x54: // BPF_ALU | BPF_AND | BPF_K
                    open.Push((next, place.Accumulator & operand));
                    break;
                case 0x05: // BPF_JMP | BPF_JA
                    open.Push((next + (int)operand, place.Accumulator));
                    break;
                case 0x06: // BPF_RET | BPF_K
                    answers.Add(operand);
                    break;
                case 0x15: // BPF_JMP | BPF_JEQ | BPF_K
                    Branch(open, instruction, next, place.Accumulator, place.Accumulator == operand);
                    break;
                case 0x25: // BPF_JMP | BPF_JGT | BPF_K
                    Branch(open, instruction, next, place.Accumulator, place.Accumulator > operand);
                    break;
                case 0x35: // BPF_JMP | BPF_JGE | BPF_K
                    Branch(open, instruction, next, place.Accumulator, place.Accumulator >= operand);
                    break;
                default:
                    throw new InvalidDataException("a filter holds an instruction that is not known");
            }
        }

        return answers;
    }

    // An unknown value can go either way.
    private static void Branch(Stack<(int, uint?)> open, ReadOnlySpan<byte> instruction, int next, uint? accumulator, bool taken)
    {
        if (accumulator is null || taken)
        {
            open.Push((next + instruction[2], accumulator));
        }

        if (accumulator is null || !taken)
        {
            open.Push((next + instruction[3], accumulator));
        }
    }
}
