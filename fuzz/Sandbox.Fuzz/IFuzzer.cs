namespace Sandbox.Fuzz;

/// <summary>A target: product code that a stranger's bytes reach. Found by its name.</summary>
internal interface IFuzzer
{
    /// <summary>Short, lower case: what stands after TARGET=.</summary>
    string Name { get; }

    /// <summary>What it drives, for the list.</summary>
    string Subject { get; }

    /// <summary>The longest input worth making, in bytes.</summary>
    int MaxInputBytes { get; }

    /// <summary>A flaw may end this process (guest memory, mappings): each input is written down before it runs.</summary>
    bool MayCrash => false;

    /// <summary>Byte strings that mean something to the target.</summary>
    IReadOnlyList<byte[]> Dictionary => [];

    /// <summary>Runs one input from a fresh state: the same bytes do the same again. Whatever it throws is a finding.</summary>
    void Run(ReadOnlySpan<byte> input);
}
