using System.Diagnostics;
using Sandbox.Boot;
using Sandbox.Boot.Acpi;
using Sandbox.Fuzz.Engine;

namespace Sandbox.Fuzz.Targets;

/// <summary>The ACPI writer: whatever machine is described, sums are zero, everything has its place, and ACPICA's compiler reads the tables without a complaint. Slow: it starts iasl.</summary>
internal sealed class AcpiFuzzer : IFuzzer
{
    private static readonly string[] Signatures = ["XSDT", "FACP", "APIC", "DSDT"];

    public string Name => "acpi";

    public string Subject => "ACPI writer, read back by iasl (slow)";

    public int MaxInputBytes => 3;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        BootMachine machine = new(1UL << 30, 1 + input.Below(254), input.Below(17));
        byte[] tables = AcpiTables.Build(machine);
        Reached.Note(machine.CpuCount / 64, machine.VirtioDeviceCount / 4);
        Require(tables.Length <= GuestLayout.AcpiTablesBytes, $"{tables.Length} bytes of tables");
        foreach (string signature in Signatures)
        {
            int start = tables.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(signature));
            Require(start >= 0, $"no {signature}");
            byte[] table = tables[start..(start + BitConverter.ToInt32(tables, start + 4))];
            Require(table.Sum(value => value) % 256 == 0, $"the sum of {signature} is not zero");
        }

        if (input.OneIn(2))
        {
            Disassemble(tables);
        }
    }

    private static void Disassemble(byte[] tables)
    {
        string folder = Directory.CreateTempSubdirectory("fuzz-acpi").FullName;
        try
        {
            int start = tables.AsSpan().IndexOf("DSDT"u8);
            File.WriteAllBytes(Path.Combine(folder, "dsdt.dat"), tables[start..(start + BitConverter.ToInt32(tables, start + 4))]);
            using Process iasl = Process.Start(new ProcessStartInfo("iasl", ["-d", "dsdt.dat"]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
            string output = iasl.StandardOutput.ReadToEnd() + iasl.StandardError.ReadToEnd();
            iasl.WaitForExit();
            Require(iasl.ExitCode == 0 && !output.Contains("error", StringComparison.OrdinalIgnoreCase), $"iasl: {output}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new FindingException($"acpi: {what}");
        }
    }
}
