namespace Sandbox.Fuzz;

/// <summary>The harness has seen the product do what it must not.</summary>
internal sealed class FindingException(string message) : Exception(message);
