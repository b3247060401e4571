// A memory in the browser: localStorage if that may be used, otherwise the memory of this page.

export interface Memory {
  /** Whether it outlives this page. */
  readonly lasting: boolean;
  read(name: string): string | null;
  write(name: string, value: string): void;
  forget(name: string): void;
  names(prefix: string): string[];
}

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** Opens the memory. `store` may throw, as `window.localStorage` does if storage is refused. */
export function openMemory(store: () => Store): Memory {
  const here = new Map<string, string>();
  const there = usable(store);
  return {
    lasting: there !== undefined,
    read: (name) => here.get(name) ?? there?.getItem(name) ?? null,
    write(name, value) {
      try {
        if (!there) throw new Error("refused");
        there.setItem(name, value);
        here.delete(name);
      } catch {
        here.set(name, value); // refused, or full
      }
    },
    forget(name) {
      here.delete(name);
      there?.removeItem(name);
    },
    names(prefix) {
      const stored = Array.from({ length: there?.length ?? 0 }, (_, index) => there?.key(index));
      const all = new Set([...here.keys(), ...stored]);
      return [...all].filter((name): name is string => !!name && name.startsWith(prefix));
    },
  };
}

function usable(store: () => Store): Store | undefined {
  try {
    const found = store();
    found.setItem("pulse.test", "1");
    found.removeItem("pulse.test");
    return found;
  } catch {
    return undefined;
  }
}

/** The JSON stored under a name; undefined if there is none that can be read. */
export function readJson<T>(memory: Memory, name: string): T | undefined {
  try {
    return JSON.parse(memory.read(name) ?? "") as T;
  } catch {
    return undefined;
  }
}
