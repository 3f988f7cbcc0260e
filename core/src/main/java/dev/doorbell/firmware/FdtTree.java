package dev.doorbell.firmware;

import dev.doorbell.explain.Source;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A device tree: a flattened one, or the folders that Linux shows of it.
///
/// **Shape**: at most 64 levels and 100 000 nodes; deeper or more is an oddity and passed over.
///
/// **Source**: Devicetree Specification 0.4, 5.
final class FdtTree {
  static final long MAGIC = 0xd00dfeedL;
  private static final int HEADER = 40;
  private static final int BEGIN_NODE = 1;
  private static final int END_NODE = 2;
  private static final int PROP = 3;
  private static final int NOP = 4;
  private static final int END = 9;
  private static final int MAX_DEPTH = 64;
  private static final int MAX_NODES = 100_000;
  private static final int MAX_NAME = 256;
  private static final int MAX_PROPERTY_FILE = 1024 * 1024;
  private static final int OLDEST = 16;

  private final FdtNode root;
  private final List<FdtNode> nodes;
  private final Map<Long, FdtNode> byPhandle = new HashMap<>();
  private final boolean whole;

  /// Children of the root, which many look for and which may be as many as all nodes.
  private final Map<String, FdtNode> top = new HashMap<>();

  private @Nullable Map<FdtNode, Integer> segments;

  private FdtTree(FdtNode root, List<FdtNode> nodes, boolean whole, Findings findings) {
    this.root = root;
    this.nodes = List.copyOf(nodes);
    this.whole = whole;
    root.children().forEach(c -> top.putIfAbsent(c.name(), c));
    for (FdtNode n : nodes) {
      long phandle = n.cell("phandle").orElse(n.cell("linux,phandle").orElse(0));
      if (phandle != 0 && byPhandle.putIfAbsent(phandle, n) != null) {
        findings.odd(
            "%s has phandle 0x%x, which another node has".formatted(n.path(), phandle), n.source());
      }
    }
  }

  FdtNode root() {
    return root;
  }

  /// {@return every node, parents before their children}
  List<FdtNode> nodes() {
    return nodes;
  }

  /// {@return whether the tree could be read to its end}
  boolean whole() {
    return whole;
  }

  /// {@return enabled host bridges and their segments; counted once, as every function of the tree asks}
  Map<FdtNode, Integer> segments() {
    Map<FdtNode, Integer> known = segments;
    if (known == null) {
      known = FdtDomains.segments(this);
      segments = known;
    }
    return known;
  }

  Optional<FdtNode> phandle(long phandle) {
    return Optional.ofNullable(byPhandle.get(phandle));
  }

  Optional<FdtNode> child(FdtNode of, String name) {
    if (of == root) {
      return Optional.ofNullable(top.get(name));
    }
    return of.children().stream().filter(c -> c.name().equals(name)).findFirst();
  }

  /// {@return the tree in a blob, or empty with the reason among the findings}
  static Optional<FdtTree> read(Blob b, Findings findings) {
    if (b.size() < HEADER || b.be32(0) != MAGIC) {
      findings.odd(
          "%s is no flattened device tree; it is not read".formatted(b.file()), b.source(0));
      return Optional.empty();
    }
    long version = b.be32(20);
    long last = b.be32(24);
    if (version < OLDEST || last > 17) {
      findings.odd(
          "tree of version %d (compatible back to %d); 16 and 17 are read".formatted(version, last),
          b.source(20));
      return Optional.empty();
    }
    long total = b.be32(4);
    if (total > b.size()) {
      findings.odd(
          "header states 0x%x bytes over 0x%x; the bytes that are there are read"
              .formatted(total, b.size()),
          b.source(4));
    }
    long structure = b.be32(8);
    long strings = b.be32(12);
    if (structure >= b.size() || strings > b.size() || structure < HEADER) {
      findings.odd(
          "structure block at 0x%x or strings at 0x%x lie outside the file; it is not read"
              .formatted(structure, strings),
          b.source(8));
      return Optional.empty();
    }
    return new Reader(b, structure, strings, findings).tree();
  }

  /// Reads tokens one after another, without recursion.
  private static final class Reader {
    private final Blob b;
    private final long strings;
    private final Findings findings;
    private final Deque<FdtNode> open = new ArrayDeque<>();
    private final List<FdtNode> nodes = new ArrayList<>();
    private int tooDeep;
    private long at;

    Reader(Blob b, long structure, long strings, Findings findings) {
      this.b = b;
      this.at = structure;
      this.strings = strings;
      this.findings = findings;
    }

    Optional<FdtTree> tree() {
      boolean whole = false;
      try {
        while (!whole) {
          whole = token();
        }
      } catch (MalformedException e) {
        findings.odd(e);
      }
      if (nodes.isEmpty()) {
        findings.odd(b.file() + " has no root node; it is not read", b.source(at));
        return Optional.empty();
      }
      if (!whole) {
        findings.unseen(
            "the device tree after its first %d nodes".formatted(nodes.size()),
            "%s cannot be read beyond offset 0x%x".formatted(b.file(), at),
            "what is described there is not known");
      }
      return Optional.of(new FdtTree(nodes.getFirst(), nodes, whole, findings));
    }

    /// {@return whether the tree ended as it should}
    private boolean token() {
      long tokenAt = at;
      long token = b.be32(at);
      at += FdtNode.CELL;
      switch ((int) token) {
        case BEGIN_NODE -> begin(tokenAt);
        case END_NODE -> {
          if (tooDeep > 0) {
            tooDeep--;
          } else if (open.isEmpty()) {
            throw new MalformedException("a node ends that did not begin", b.source(tokenAt));
          } else {
            open.pop();
          }
        }
        case PROP -> property(tokenAt);
        case NOP -> {}
        case END -> {
          if (!open.isEmpty()) {
            throw new MalformedException(
                "the tree ends inside " + open.getFirst().path(), b.source(tokenAt));
          }
          return true;
        }
        default ->
            throw new MalformedException(
                "0x%x is no token of a device tree: the structure block is damaged from here"
                    .formatted(token),
                b.source(tokenAt));
      }
      return false;
    }

    private void begin(long tokenAt) {
      String name = b.zeroTerminated(at, MAX_NAME);
      at = aligned(at + name.length() + 1);
      if (tooDeep > 0 || open.size() >= MAX_DEPTH) {
        if (tooDeep++ == 0) {
          findings.odd(
              "nodes are nested more than %d deep; they are passed over".formatted(MAX_DEPTH),
              b.source(tokenAt));
        }
        return;
      }
      if (nodes.size() >= MAX_NODES) {
        throw new MalformedException("more than %d nodes".formatted(MAX_NODES), b.source(tokenAt));
      }
      if (open.isEmpty() && !nodes.isEmpty()) {
        throw new MalformedException("a second root node begins", b.source(tokenAt));
      }
      FdtNode node = new FdtNode(name, open.peek(), b.source(tokenAt));
      nodes.add(node);
      open.push(node);
    }

    private void property(long tokenAt) {
      long length = b.be32(at);
      long nameAt = strings + b.be32(at + FdtNode.CELL);
      long data = at + 2L * FdtNode.CELL;
      if (length > b.size() - data) {
        throw new MalformedException(
            "property of 0x%x bytes runs past the end".formatted(length), b.source(tokenAt));
      }
      at = aligned(data + length);
      if (tooDeep > 0) {
        return;
      }
      FdtNode node = open.peek();
      if (node == null) {
        throw new MalformedException("a property outside any node", b.source(tokenAt));
      }
      try {
        node.add(
            b.zeroTerminated(nameAt, MAX_NAME), new FdtNode.Property(b, (int) data, (int) length));
      } catch (MalformedException e) {
        findings.odd(
            "a property's name at 0x%x lies outside the strings".formatted(nameAt),
            b.source(tokenAt));
      }
    }

    private static long aligned(long at) {
      return at + (FdtNode.CELL - at % FdtNode.CELL) % FdtNode.CELL;
    }
  }

  /// {@return the tree that Linux shows as folders and files}
  static Optional<FdtTree> readFolders(Sysroot sysroot, String folder, Findings findings) {
    record Todo(String path, FdtNode node, int depth) {}
    FdtNode root = new FdtNode("", null, Source.file(folder));
    List<FdtNode> nodes = new ArrayList<>(List.of(root));
    Deque<Todo> todo = new ArrayDeque<>(List.of(new Todo(folder, root, 0)));
    while (!todo.isEmpty()) {
      Todo next = todo.pop();
      for (String name : sysroot.list(next.path).orElse(List.of())) {
        String path = next.path + "/" + name;
        if (!sysroot.isFolder(path)) {
          if (sysroot.read(path, MAX_PROPERTY_FILE) instanceof Contents.Present(Blob blob)) {
            next.node.add(name, new FdtNode.Property(blob, 0, blob.size()));
          }
        } else if (next.depth < MAX_DEPTH && nodes.size() < MAX_NODES) {
          FdtNode child = new FdtNode(name, next.node, Source.file(path));
          nodes.add(child);
          todo.push(new Todo(path, child, next.depth + 1));
        }
      }
    }
    return nodes.size() == 1
        ? Optional.empty()
        : Optional.of(new FdtTree(root, nodes, true, findings));
  }
}
