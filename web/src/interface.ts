// What the API replies, written from docs/openapi.json by `make docs`; do not edit.

export interface Accepted {
  readonly accepted: number;
  readonly rejected: readonly {
    readonly index: number;
    readonly field: string;
    readonly code: string;
    readonly message: string;
  }[];
  /** Aligned with the input; null = rejected. */
  readonly ids: readonly (string | null)[];
  /**
   * Only where a response came with age_ms: when each such one was given, aligned with the
   * input; null for the others.
   */
  readonly answered_at?: readonly (string | null)[];
  /**
   * Only where something was left out of what was accepted: agent_not_signed, an agent that no
   * link had signed; country_unknown, a code of no country. Or where it was changed:
   * country_renamed, UK to GB.
   */
  readonly warnings?: readonly {
    readonly index: number;
    readonly field: string;
    readonly code: string;
    readonly message: string;
  }[];
}

export interface Catalogue {
  readonly reports: readonly CatalogueReport[];
  readonly parameters: readonly {
    readonly name: string;
    readonly text: string;
  }[];
  readonly presets: readonly string[];
  readonly default_preset: string;
  readonly granularities: readonly string[];
  readonly comparisons: readonly string[];
  readonly operator_dimensions: readonly CatalogueDimension[];
  readonly units: Readonly<Record<string, string>>;
  readonly not_given: string;
  /** Whose key asks; null for an operator key. */
  readonly tenant: {
    readonly id: string;
    /** By medium and figure, how many in a hundred should be within the threshold. */
    readonly targets: Readonly<Record<string, Readonly<Record<string, number>>>>;
    /**
     * The keys of tags that it has declared as dimensions: filters of reports on surveys, and
     * columns of those that are grouped by them.
     */
    readonly dimensions: readonly string[];
  } | null;
  /** May the key read comments? */
  readonly comments: boolean;
}

export interface CatalogueDimension {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  /** All that there are; null where senders may bring any. */
  readonly values: readonly string[] | null;
}

export interface CatalogueMetric {
  readonly name: string;
  readonly unit: "count" | "percent" | "points" | "adjusted" | "side" | "scale" | "ratio" | "seconds" | "time" | "satisfaction" | "money";
  readonly text: string;
  readonly formula: string | null;
  readonly numerator: string | null;
  readonly denominator: string | null;
  /** What it is where nothing was counted. */
  readonly empty: "0" | "null";
}

export interface CatalogueReport {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly family: "survey" | "interaction" | "experience";
  readonly dimensions: readonly CatalogueDimension[];
  readonly always_grouped_by: readonly string[];
  readonly group_by: readonly string[];
  readonly granularity: "total" | "day" | "week" | "month";
  readonly metrics: readonly CatalogueMetric[];
  readonly filters: readonly string[];
  readonly fixed_filters: Readonly<Record<string, readonly string[]>>;
  readonly always_given: readonly string[];
  readonly always_present: Readonly<Record<string, readonly (string | number)[]>>;
  readonly rows_over_all: boolean;
  /** By which days it may count answers (date_basis); empty: by their own. */
  readonly date_bases: readonly ("answered" | "entered")[];
  readonly breakdown: {
    readonly text: string;
    readonly dimensions: readonly CatalogueDimension[];
    readonly metrics: readonly CatalogueMetric[];
  } | null;
}

/** A value of a dimension, a figure, or money by currency. */
export type Cell = string | number | boolean | Readonly<Record<string, string>> | null;

export interface Column {
  readonly name: string;
  readonly kind: "period" | "dimension" | "name" | "level" | "metric" | "previous" | "change" | "significant" | "flag";
  readonly unit?: "count" | "percent" | "points" | "adjusted" | "side" | "scale" | "ratio" | "seconds" | "time" | "satisfaction" | "money";
  /** Whose change the column tells. */
  readonly metric?: string;
}

export interface Comment {
  readonly answered_at: string;
  readonly survey: string;
  readonly metric: string;
  readonly scale: string;
  readonly score: number;
  readonly channel: string | null;
  readonly agent: string | null;
  readonly country: string | null;
  readonly browser: string | null;
  readonly os: string | null;
  readonly device: string | null;
  readonly segment: "good" | "neutral" | "bad";
  readonly comment: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly response_id: string;
  readonly interaction_id: string | null;
  /** What the customer went through. Null where no interaction is linked. */
  readonly experience: {
    /**
     * How the customer got in touch. It has a value in every answer that is linked, and none in
     * the others.
     */
    readonly media_type: string;
    /** What kind of customer got in touch. */
    readonly customer_segment: string | null;
    /** What the customer wanted. */
    readonly service_type: string | null;
    /** The agent who dealt with the interaction that the answer is linked to. */
    readonly handled_by: string | null;
    /** Whether the interaction was accepted within the threshold. */
    readonly accept: "in_time" | "late" | "never" | "no_threshold" | null;
    /** Whether the first response came within the threshold. */
    readonly first_response: "in_time" | "late" | "never" | "no_threshold" | null;
    /** Whether the interaction was finished within the threshold. */
    readonly finish: "in_time" | "late" | "never" | "no_threshold" | null;
    /** How long it took from entering to being accepted. */
    readonly wait: "0-10s" | "10-30s" | "30-60s" | "1-2min" | "2-5min" | "5-15min" | "15-60min" | "1-4h" | "4-24h" | "over-24h" | null;
    /** How long it took from entering to the end. */
    readonly life: "0-10s" | "10-30s" | "30-60s" | "1-2min" | "2-5min" | "5-15min" | "15-60min" | "1-4h" | "4-24h" | "over-24h" | null;
    /** Whether the customer gave up before being accepted. */
    readonly was_abandoned: "yes" | "no" | null;
    /** Whether it brought a revenue that is not zero. */
    readonly had_revenue: "yes" | "no" | null;
    /** Whether it has a satisfaction of its own. */
    readonly was_rated: "yes" | "no" | null;
    /** The day on which the interaction entered. */
    readonly entered_on: string | null;
  } | null;
  /** True where an agent is not told, because few have written about them. */
  readonly withheld: boolean;
}

export interface Comments {
  readonly meta: CommentsMeta;
  /** How many there are, over all pages. */
  readonly count: number;
  readonly comments: readonly Comment[];
  readonly next_cursor: string | null;
}

export interface CommentsMeta {
  readonly date_range: {
    readonly preset: string | null;
    readonly start_date: string;
    readonly end_date: string;
    readonly timezone: string;
  };
  readonly filters: Readonly<Record<string, unknown>>;
  readonly linked: {
    /** How many are linked to an interaction. */
    readonly comments: number;
    /** How many there are. */
    readonly of: number;
  };
  /**
   * What the comments were read from: the objects that hold them, or what Athena has read of
   * these, where the months have more than a process holds. What is found is the same.
   */
  readonly engine: "comments" | "athena";
  readonly warnings: readonly {
    readonly code: string;
    readonly message: string;
  }[];
}

export interface Dimension {
  readonly dimension: string;
  readonly title: string;
  readonly meta: Meta;
  readonly values: readonly {
    /**
     * Null where it is not given: (none) as a filter. (other) are those that public keys sent
     * beyond the stack's limit.
     */
    readonly value: string | null;
    /**
     * For people: an agent's latest name, a survey's question in its default language. Several
     * values may share one.
     */
    readonly name: string | null;
    readonly count: number;
  }[];
  /** True where there are more than these: ask with q. */
  readonly truncated: boolean;
}

export interface Driver {
  /**
   * country, channel, agent, device, browser, os, survey, or one that the tenant has declared
   * itself.
   */
  readonly dimension: string;
  readonly responses: number;
  readonly explains_pct: number;
  /** chi², one degree of freedom less than groups. */
  readonly statistic: number;
  readonly p: number;
  /** Is it more than chance explains, all dimensions considered? */
  readonly significant: boolean;
  /** The dimensions whose combinations are the strata. */
  readonly adjusted_for: readonly string[];
  readonly groups: number;
  readonly rows: readonly DriverGroup[];
}

export interface DriverGroup {
  readonly value: string | null;
  /** What the value is called in `language`. */
  readonly name: string;
  readonly responses: number;
  readonly score: number | null;
  /** Its score less the rest's, in points. */
  readonly difference: number | null;
  /** Lower end of the difference's 95 % interval. */
  readonly ci_low: number | null;
  /** Upper end of it. */
  readonly ci_high: number | null;
  /** What the whole would lose if the group scored like the rest. */
  readonly points: number | null;
  readonly adjusted_difference: number | null;
  /** True where too few answered to show an agent's figures. */
  readonly withheld: boolean;
}

export interface Drivers {
  readonly meta: Meta;
  readonly language: "en" | "de" | "fr" | "es";
  /** The total in the report daily of what is looked at. */
  readonly headline: Readonly<Record<string, Cell>> | null;
  readonly drivers: readonly Driver[];
}

export interface Insights {
  readonly meta: Meta;
  /**
   * Totals of the report daily, each with `surveys`, how many it is of. First the one with the
   * worst days, then what changed for certain.
   */
  readonly headlines: readonly Row[];
  readonly worst: {
    readonly metric: "csat" | "nps" | "ces";
    readonly scale: string;
    readonly start_date: string;
    readonly end_date: string;
    readonly days: number;
    readonly responses: number;
    readonly score: number;
    readonly responses_others: number;
    /** Of all other days. */
    readonly score_others: number;
    readonly z: number;
    /** What it cost the score of all days. */
    readonly points: number;
    readonly top_contributor: {
      /**
       * country, channel, agent, device, browser, os, survey, or one that the tenant has
       * declared itself.
       */
      readonly dimension: string;
      readonly value: string | null;
      /** What the value is called in `language`. */
      readonly name: string;
      /** Its contribution to the change. */
      readonly points: number | null;
      readonly responses: number;
      readonly score: number | null;
      readonly ci_low: number | null;
      readonly ci_high: number | null;
      readonly responses_previous: number;
      readonly score_previous: number | null;
      readonly ci_low_previous: number | null;
      readonly ci_high_previous: number | null;
      readonly share_of_change_pct: number;
      /** A value of a dimension; null is not given. */
      readonly within: {
        /**
         * country, channel, agent, device, browser, os, survey, or one that the tenant has
         * declared itself.
         */
        readonly dimension: string;
        readonly value: string | null;
        /** What the value is called in `language`. */
        readonly name: string;
      } | null;
    } | null;
    /** Beside as many days before. */
    readonly cost: {
      readonly responses: number;
      readonly responses_previous: number;
      readonly bad: "dissatisfied" | "detractors" | "difficult";
      readonly bad_responses: number | null;
      readonly bad_responses_previous: number | null;
      readonly contacts: {
        readonly entered: number;
        readonly entered_previous: number;
        readonly accept_service_level_pct: number;
        readonly accept_service_level_pct_previous: number;
      } | null;
      readonly revenue: readonly {
        readonly currency: string;
        readonly revenue: string;
        readonly revenue_change: string;
      }[];
    } | null;
  } | null;
  readonly movers: {
    readonly metric: "csat" | "nps" | "ces";
    readonly scale: string;
    /** Of the whole, in points. */
    readonly change: number;
    /** How many were compared. */
    readonly groups: number;
    readonly rows: readonly Mover[];
  } | null;
  readonly language: "en" | "de" | "fr" | "es";
  readonly sentences: readonly Sentence[];
}

export interface Meta {
  readonly date_range: {
    readonly preset: string | null;
    readonly start_date?: string;
    readonly end_date?: string;
    readonly timezone?: string;
    readonly tenants?: readonly {
      readonly tenant: string;
      readonly start_date: string;
      readonly end_date: string;
      readonly timezone: string;
    }[];
  };
  /** The range compared with, where one was asked for. */
  readonly compare?: {
    readonly with: "previous_period" | "previous_year";
    readonly start_date?: string;
    readonly end_date?: string;
    readonly tenants?: readonly {
      readonly tenant: string;
      readonly start_date: string;
      readonly end_date: string;
    }[];
  };
  /**
   * Everything that was stored before then is in the figures, but for days that warnings name;
   * of several tenants the earliest. Null until a build was through.
   */
  readonly as_of: string | null;
  /** By dimension {"is": […]} or {"is_not": […]}; null is not given. */
  readonly filters: Readonly<Record<string, unknown>>;
  /** By which of its days an answer counts, in reports that know both. */
  readonly date_basis?: "answered" | "entered";
  /**
   * How many of the answers that count are linked to an interaction, of how many; in reports on
   * what customers went through.
   */
  readonly linked?: {
    readonly responses: number;
    readonly of: number;
  };
  /**
   * What the figures were read from: objects that were made beforehand, or what Athena has made
   * of a large tenant's rows for this question. The figures are the same.
   */
  readonly engine: "reports" | "athena";
  /** The versioned formulas of the scores in the reply. */
  readonly formulas: readonly string[];
  /**
   * What the figures alone would not tell, such as days_failing and days_waiting: days that are
   * not built; values_folded: values that stand together as (other).
   */
  readonly warnings: readonly {
    readonly code: string;
    readonly message: string;
  }[];
}

export interface Mover {
  /**
   * country, channel, agent, device, browser, os, survey, or one that the tenant has declared
   * itself.
   */
  readonly dimension: string;
  readonly value: string | null;
  /** What the value is called in `language`. */
  readonly name: string;
  /** Its contribution to the change. */
  readonly points: number | null;
  readonly responses: number;
  readonly score: number | null;
  readonly ci_low: number | null;
  readonly ci_high: number | null;
  readonly responses_previous: number;
  readonly score_previous: number | null;
  readonly ci_low_previous: number | null;
  readonly ci_high_previous: number | null;
  /** Has its own score changed by more than chance explains, all groups considered? */
  readonly significant: boolean;
  /** Groups that are nearly all its answers, by other names. */
  readonly within: readonly Place[];
}

export interface Phrase {
  readonly text: string;
  /** The report that proves it. */
  readonly report: string | null;
  /** The query of that report. */
  readonly query: string | null;
}

/** A value of a dimension; null is not given. */
export interface Place {
  /**
   * country, channel, agent, device, browser, os, survey, or one that the tenant has declared
   * itself.
   */
  readonly dimension: string;
  readonly value: string | null;
  /** What the value is called in `language`. */
  readonly name: string;
}

/** RFC 9457. `code` is stable; `errors` name the fields at fault. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly {
    readonly field: string;
    readonly code: string;
    readonly message: string;
  }[];
}

/** What replies of all reports have; a report's own schema names its columns. */
export interface Reply {
  readonly report: string;
  readonly meta: Meta;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly totals: readonly Row[];
  readonly breakdown?: readonly Row[];
  readonly next_cursor: string | null;
}

export type Row = Readonly<Record<string, Cell>>;

export interface Sentence {
  readonly text: string;
  readonly phrases: readonly Phrase[];
}

export interface Survey {
  readonly id: string;
  readonly question: string;
  readonly style: "faces" | "stars" | "numbers";
  readonly metric: "csat" | "nps" | "ces";
  readonly scale: {
    readonly min: number;
    readonly max: number;
    readonly lower_is_better: boolean;
  };
  /** Names of the scores from the lowest on, or empty. */
  readonly labels: readonly string[];
  /** What the lowest and the highest score mean. */
  readonly ends: readonly [string, string];
  readonly thanks: string;
  readonly language: string;
  readonly direction: "ltr" | "rtl";
  /** What a page's own buttons and messages say. */
  readonly words: {
    readonly comment: string;
    readonly send: string;
    readonly close: string;
    readonly open: string;
    readonly sending: string;
    readonly sent: string;
    readonly waiting: string;
    readonly refused: string;
    readonly retry: string;
    readonly already: string;
    readonly change: string;
    readonly again: string;
  };
  /**
   * When the widget shows it by itself, to how many in a hundred visitors, and after how many
   * days to the same visitor again.
   */
  readonly display: {
    readonly trigger: "button" | "delay" | "event" | "api";
    /** Seconds. */
    readonly delay: number;
    readonly event: string | null;
    readonly sample_pct: number;
    readonly again_days: number;
  };
  /** Who asks, as the tenant shows itself to anybody. */
  readonly asked_by: {
    readonly name: string | null;
    readonly logo_url: string | null;
    readonly privacy_url: string | null;
  };
  /** When this was said: by it a page sees how wrong a visitor's clock is. */
  readonly served_at: string;
  /** For how many seconds a cache may have kept this since served_at. */
  readonly fresh_s: number;
  /** For how many seconds after it was given an answer is taken. */
  readonly back_s: number;
}

export interface Word {
  readonly term: string;
  /** How many comments of the first group hold it. */
  readonly first: number;
  /** How many of the second. */
  readonly second: number;
  readonly log_odds: number;
  readonly z: number;
  /** The newest comment of its group with it. */
  readonly example: string;
}

export interface Words {
  readonly meta: CommentsMeta;
  readonly contrast: "segment" | "period" | "filter";
  readonly formula: "log_odds@1";
  /** The days before, where the contrast is period. */
  readonly before: {
    readonly start_date: string;
    readonly end_date: string;
  } | null;
  /** Bad answers, these days, or those of `against`. */
  readonly first: {
    readonly comments: number;
    readonly words: readonly Word[];
  };
  /** Good answers, the days before, or the rest. */
  readonly second: {
    readonly comments: number;
    readonly words: readonly Word[];
  };
}
