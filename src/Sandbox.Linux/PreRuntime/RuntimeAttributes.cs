// The namespace and the names are what NativeAOT's compiler looks for, in any assembly: it then emits a bare call (or a
// bare symbol) with no switch between managed and native code around it. Nothing but these two makes C# run before the
// runtime exists. A compiler that stopped honouring them would fail the link of sandbox-jail (no `main`).
namespace System.Runtime;

/// <summary>The method is the C function of that name.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RuntimeImportAttribute(string entryPoint) : Attribute
{
    public string EntryPoint { get; } = entryPoint;
}

/// <summary>The method is a C function of that name.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RuntimeExportAttribute(string entryPoint) : Attribute
{
    public string EntryPoint { get; } = entryPoint;
}
