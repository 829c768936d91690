// Functions that the grids' options name; AG Grid's expressions are parsed, not evaluated, so code lives here.
var dagfuncs = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

// Enter on a row opens it, as a click does.
dagfuncs.openOnEnter = function (params, setEventData) {
    if (params.event.key === 'Enter' && params.data) {
        setEventData({id: params.data.id});
    }
};

dagfuncs.capitalized = function (word) {
    return word ? word[0].toUpperCase() + word.slice(1) : '';
};
