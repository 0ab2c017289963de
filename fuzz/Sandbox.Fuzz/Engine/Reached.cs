namespace Sandbox.Fuzz.Engine;

/// <summary>Outcomes that inputs have reached: a fault, a status, a phase, a pair of them. An input that reaches a new one is worth keeping.</summary>
internal static class Reached
{
    private static readonly ulong[] Bits = new ulong[1024];
    private static bool s_new;

    public static int Count { get; private set; }

    /// <summary>Two small numbers that tell this outcome from others of the target.</summary>
    public static void Note(int kind, int value)
    {
        uint slot = unchecked(((uint)kind * 0x9E3779B1) ^ ((uint)value * 0x85EBCA6B));
        slot = (slot ^ (slot >> 15)) & 0xFFFF;
        ref ulong word = ref Bits[slot >> 6];
        ulong bit = 1UL << (int)(slot & 63);
        if ((word & bit) == 0)
        {
            word |= bit;
            Count++;
            s_new = true;
        }
    }

    public static bool TakeNew()
    {
        bool found = s_new;
        s_new = false;
        return found;
    }

    public static void Forget()
    {
        Array.Clear(Bits);
        Count = 0;
        s_new = false;
    }
}
